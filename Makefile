# A thin front for cmake and the scripts. Every target works alone, from a fresh clone on Debian 12, and may be repeated:
# what is there already is not made again.

build: install  ## build what users run: build/release/assay
	cmake --preset release
	cmake --build --preset release

demo: build  ## run the main job on a real model and on an agent of known conduct; MODEL=path.gguf takes another model
	scripts/demo.sh "$(MODEL)"

model:  ## fetch and check the demo's model (98 MB, kept in the user's cache folder)
	scripts/model.sh

organisms-validate: build model  ## measure the shipped organisms anew: cards and models/*.md; NAME=cornered for one; an hour each
	scripts/organisms_validate.sh $(NAME)

check: build  ## build and run every test
	ctest --preset release

asan tsan: %: install  ## build and test under AddressSanitizer and UBSan (asan) or ThreadSanitizer (tsan)
	cmake --preset $@
	cmake --build --preset $@
	ctest --preset $@

fuzz: install  ## run each fuzz program for 30 seconds; SECONDS=600 for longer
	scripts/install.sh --dev
	scripts/fuzz.sh $(SECONDS)

tidy: install  ## clang-tidy over the sources changed since HEAD; ALL=1 takes all of them
	scripts/install.sh --dev
	scripts/tidy.sh $(if $(ALL),--all)

format: install  ## clang-format over src/, in place
	scripts/install.sh --dev
	find src -name '*.h' -o -name '*.cpp' | xargs clang-format-19 -i

install:  ## install the Debian packages of scripts/packages.txt that are missing
	scripts/install.sh

clean:  ## remove build/; what lies in the cache folder stays
	rm -rf build

help:  ## this list
	@sed -nE 's/^([a-z -]+):[^#]*## (.*)/\1|\2/p' Makefile | while IFS='|' read -r target does; do \
	  printf '  make %-18s %s\n' "$$target" "$$does"; done

.PHONY: build demo model organisms-validate check asan tsan fuzz tidy format install clean help
