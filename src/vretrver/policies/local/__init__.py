"""The policy that runs a Qwen-VL model in this process: `policy.LocalPolicy.of_folder`."""
