# Everything a person or CI runs. `make demo` and `make test` do all set-up on a fresh machine.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
MEASURE := $(BIN)/python -m measure
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export OMP_WAIT_POLICY ?= passive

.PHONY: help demo test check format proofs proofs-catalogue benchmarks models twin golden clean

help:  ## show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

$(VENV)/.models: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable '.[models]'
	touch $@

$(VENV)/.dev: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable '.[dev,train,index,sources,ocr,http,qdrant,fs]'
	touch $@ $(VENV)/.models

demo: $(VENV)/.models  ## draw a catalogue, search it, rerank it with looks, write the evidence report
	$(BIN)/vretrver demo --out demo-out

test: $(VENV)/.dev  ## run the tests
	$(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist worksteal

check: $(VENV)/.dev  ## run the linters and the type checker
	.ci/check

format: $(VENV)/.dev  ## format and fix what can be fixed
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

proofs: $(VENV)/.dev  ## run the full counts and write measure/results (twenty minutes)
	set -e; for name in agent_fuzz driver_occupancy engine_soak http_throughput index_kill picture_reads; do \
		$(MEASURE) $$name; done

proofs-catalogue: $(VENV)/.dev  ## run the gate: what the thumbnail destroys and the picture shows (about an hour)
	$(MEASURE) gate

OTHER_SHAPES := --set 'shapes=[1, 2, 3, 6, 8, 9]' --set 'windows=[20]'

benchmarks: $(VENV)/.dev  ## measure speed and size and write measure/results (nearly three hours)
	set -e; for name in demo_figures catalogue_speed decode_rate decode_overlap query_cost text_reading index_scale; do \
		$(MEASURE) $$name; done
	$(MEASURE) local_policy --model src/vretrver/shipped/agent
	$(MEASURE) looks
	$(MEASURE) looks --name looks_shapes $(OTHER_SHAPES) --set 'arms=[agent]'
	$(MEASURE) looks --name looks_complete --set 'arms=[complete-answers]'
	$(MEASURE) looks --name looks_complete_shapes $(OTHER_SHAPES) --set 'arms=[complete-answers]'
	$(MEASURE) plans --gallery build/models/report.gallery
	$(MEASURE) kernel_equality --gallery build/models/report.gallery --work build/kernel_equality
	$(MEASURE) results_page

models: $(VENV)/.dev  ## train the shipped models again (two and a half hours; goes on where it was stopped)
	$(BIN)/vretrver train curriculum

twin: $(VENV)/.dev  ## train the agent's twin without tools, after models (forty minutes); measure looks takes it in
	$(BIN)/vretrver train curriculum --only sft-finish-no-tools

golden: $(VENV)/.dev  ## write the golden files again, after a change that was meant
	$(BIN)/python -m tests.golden

clean:  ## remove the environment and everything that was generated
	rm -rf $(VENV) demo-out build .pytest_cache .mypy_cache .ruff_cache .hypothesis
