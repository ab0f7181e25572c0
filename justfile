# Every recipe is one command; CI runs `.ci/run`, which needs no just.
_default:
    @just --list

# Formatting and lints, as CI runs them.
check:
    cargo fmt --all --check && cargo clippy --workspace --all-targets -- -D warnings

# Every test; PostgreSQL ones start a private server where one is installed.
test:
    cargo test --workspace

# Play the 2024–2025 cycle of Wujin.
demo:
    cargo run --release -- demo

# Render the documents that are made from code: flows, README picture, OpenAPI snapshot.
docs:
    UPDATE_DOCS=1 INSTA_UPDATE=always cargo test --workspace -q up_to_date

# How long the numbers take; docs/benchmarks.md has results.
bench:
    cargo bench -p fundcycle-scoring --bench numbers
