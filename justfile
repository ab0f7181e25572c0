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

# Crashes, power cuts and full disks, and random commands; docs/reliability.md has results.
torture rounds="200" commands="1000000" seed=`date +%s`:
    FUNDCYCLE_ROUNDS={{rounds}} cargo test --release -p fundcycle --test blackbox -- torture --nocapture --test-threads 1
    @echo "seed {{seed}}"
    PROPTEST_CASES=$(( {{commands}} / 30 )) PROPTEST_RNG_SEED={{seed}} cargo test --release -p fundcycle-core --test random random_commands

# How long so many letters and webhooks take to go out, on both engines, and in how much memory.
bench-delivery count="10000":
    cargo bench -p fundcycle --bench delivery -- --count {{count}}
