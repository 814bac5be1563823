"""The local engine: runs the very same Pulumi program in-process where the Pulumi CLI is not at hand."""
