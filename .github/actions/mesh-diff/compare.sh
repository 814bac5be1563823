#!/usr/bin/env bash
# Writes the comparison of BASE and HEAD of STACK in CWD to $RUNNER_TEMP/mesh-diff.md and to the summary of the job.
# That the document has errors is no failure here: the comment says so first, and the last step ends with it.
set -euo pipefail
comment=$RUNNER_TEMP/mesh-diff.md
mesh=${MESH:-$RUNNER_TEMP/mesh/bin/mesh}
code=0
# What the base branch has got since is not of this pull request.
BASE=$(git -C "$CWD" merge-base -- "$BASE" "$HEAD" 2> /dev/null || echo "$BASE")
# The names of revisions are data: after `--` none of them is an option.
"$mesh" diff --cwd "$CWD" --stack "$STACK" --format markdown --output "$comment" -- "$BASE" "$HEAD" 2> "$RUNNER_TEMP/mesh-diff.err" || code=$?
cat "$RUNNER_TEMP/mesh-diff.err" >&2
if [ ! -s "$comment" ]; then
  { echo "### Mesh diff failed"; echo; sed 's/^/    /' "$RUNNER_TEMP/mesh-diff.err"; } > "$comment"
fi
cat "$comment" >> "$GITHUB_STEP_SUMMARY"
changed=true
if head -n 1 "$comment" | grep -q ': no changes$'; then changed=false; fi
{ echo "changed=$changed"; echo "code=$code"; } >> "$GITHUB_OUTPUT"
