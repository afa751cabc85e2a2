# The two commands a newcomer needs: `make demo` and `make test`. `make help` lists the rest.
PYTHON ?= python3
BIN := .venv/bin
OURS := firmware-bridge devices edge kiosk-ui cloud-relay hardware-sim
CHECKED := $(OURS) tests benchmarks bootstrap.py
# Where tests of several processes or of a browser stand (tests/test_layout.py holds them to it).
WALKS := tests/flow tests/web tests/edge/test_edge_agent.py

# Some images of containers forbid Python to keep what it has compiled: each process of a test would do it again.
unexport PYTHONDONTWRITEBYTECODE

# As box and relay have it: threads that share out small arrays mostly wait for each other, the more the busier a machine is.
export OPENBLAS_NUM_THREADS ?= 1

# make demo ONCE=1 conducts one consultation by itself; PORT_KIOSK, PORT_DESK, BROKER, DIR and JSON are passed on.
DEMO_OPTIONS := $(if $(ONCE),--once) $(if $(JSON),--json $(JSON)) $(if $(PORT_KIOSK),--port-kiosk $(PORT_KIOSK)) \
  $(if $(PORT_DESK),--port-desk $(PORT_DESK)) $(if $(BROKER),--broker $(BROKER)) $(if $(DIR),--dir $(DIR))

# make fuzz gives each family of parsers so many seconds, so many families at a time; FAMILY="kit contec" chooses some.
FUZZ_SECONDS ?= 600
FUZZ_JOBS ?= 1

# make interfaces EXAMPLES=1000 tries each address of relay and agent with so many requests.
EXAMPLES ?= 200

.PHONY: stores interfaces load help demo test coverage brokers fuzz proof check format voices screens taps faults road clean

help:
	@echo "make demo          the whole kit on simulated instruments: kiosk, relay, desk (Ctrl-C stops it)"
	@echo "make demo ONCE=1   one consultation from instruments to signed opinion and back, then a report"
	@echo "make test          everything: unit, property, flow and browser tests"
	@echo "make coverage      the unit and property tests traced: every branch of ours, 90 % at the least"
	@echo "make brokers       one suite over the embedded broker, mosquitto and RabbitMQ on three nodes; three minutes"
	@echo "make stores        the archive's tests on PostgreSQL and on an S3 store; five minutes"
	@echo "make fuzz          every parser against a fuzzer, FUZZ_SECONDS=600 a family; about two hours and a half"
	@echo "make proof         the front ends' firmware: host tests, fuzzing, and 60 s in an emulated chip, bit by bit"
	@echo "make check         format, lint, types, import contracts, browser types"
	@echo "make format        rewrite the sources in the house style"
	@echo "make voices        render the kiosk's voice prompts that are new or speak an older text"
	@echo "make screens       every screen of kiosk and desk, language and size on one sheet, judged by axe-core; about an hour"
	@echo "make taps          a whole visit of five instruments in training, its touches counted"
	@echo "make faults        the six lessons in which something goes wrong, on the real box, in four languages"
	@echo "make road          times and bytes of the demo's consultation (benchmarks/road.py)"
	@echo "make interfaces    every address of relay and agent tried by its OpenAPI: no fault may answer"
	@echo "make load          the relay under the load of 160 sites (benchmarks/relay.py), over an hour"
	@echo "make clean         remove what the commands above made"

demo:
	@$(PYTHON) bootstrap.py
	@exec $(BIN)/chevet-sim demo $(DEMO_OPTIONS)

test:
	@sh tests/prepare.sh
	@$(PYTHON) bootstrap.py --tests
	@failed=0; \
	$(BIN)/pytest -n 3 -m "not flow and not web" || failed=1; \
	$(BIN)/pytest -n 3 --dist loadfile -m "flow or web" $(WALKS) || failed=1; \
	exit $$failed

# Tracing makes the same tests take two to three times as long.
coverage:
	@sh tests/prepare.sh
	@$(PYTHON) bootstrap.py --tests
	@rm -f .coverage .coverage.*
	$(BIN)/coverage run -m pytest -n 3 -m "not flow and not web"
	@$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under=90

# Three nodes of RabbitMQ take a minute to start and 400 MB: apt install rabbitmq-server
brokers:
	@$(PYTHON) bootstrap.py --tests
	CHEVET_RABBITMQ=1 $(BIN)/pytest -v tests/relay/test_broker_tls.py tests/relay/test_broker_rabbitmq.py

# PostgreSQL is Debian's: apt install postgresql
stores:
	@$(PYTHON) bootstrap.py --tests
	CHEVET_STORES=1 $(BIN)/pytest -n 2 -v tests/relay/test_object_stores.py tests/relay/test_moving.py tests/relay/test_on_s3.py tests/relay/test_on_postgresql.py

fuzz:
	@$(PYTHON) bootstrap.py --tests
	@$(BIN)/python tests/fuzz/run.py --seconds $(FUZZ_SECONDS) --jobs $(FUZZ_JOBS) $(addprefix --family ,$(FAMILY))

proof:
	@sh tests/prepare.sh
	@$(PYTHON) bootstrap.py --tests
	$(MAKE) -C firmware-bridge/firmware host-test fuzz proof

check:
	@$(PYTHON) bootstrap.py --tests
	$(BIN)/ruff format --check $(CHECKED)
	$(BIN)/ruff check $(CHECKED)
	$(BIN)/mypy
	$(BIN)/lint-imports
	@command -v npm >/dev/null || { echo "The browser type check needs Node.js: sudo apt install nodejs npm"; exit 1; }
	npm install --silent --no-audit --no-fund --no-save
	npm run --silent types

format:
	@$(PYTHON) bootstrap.py --tests
	$(BIN)/ruff format $(CHECKED)
	$(BIN)/ruff check --fix $(CHECKED)

voices:
	@$(PYTHON) bootstrap.py
	@$(BIN)/python -m chevet.kiosk.voices

screens:
	@sh tests/prepare.sh
	@$(PYTHON) bootstrap.py --tests
	@$(BIN)/python tests/screens/run.py

taps:
	@sh tests/prepare.sh
	@$(PYTHON) bootstrap.py --tests
	@$(BIN)/python tests/screens/taps.py

faults:
	@sh tests/prepare.sh
	@$(PYTHON) bootstrap.py --tests
	@$(BIN)/python tests/screens/faults.py

road:
	@$(PYTHON) bootstrap.py
	$(BIN)/python benchmarks/road.py

interfaces:
	@$(PYTHON) bootstrap.py --tests
	$(BIN)/python benchmarks/interfaces.py --examples $(EXAMPLES)

load:
	@$(PYTHON) bootstrap.py --tests
	$(BIN)/python benchmarks/relay.py

clean:
	rm -rf .venv node_modules artefacts .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.*
