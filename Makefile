# From ResNet to ConvNeXt, one change at a time. `make help` lists what can be made.

# --- What may be set: make CC=clang MARCH=x86-64-v3 PLAIN=1 PORTABLE=1 BUILD=folder V=1 ---

ifeq ($(origin CC),default)
CC := $(firstword $(foreach c,gcc clang,$(if $(shell command -v $c 2>/dev/null),$c)) cc)
endif
MARCH ?= native
# PLAIN=1 leaves the fast engine out, and the tests of that.
PLAIN ?=
# PORTABLE=1 builds programs whose results are the same bytes everywhere (docs/reliability.md).
PORTABLE ?=
ifneq ($(filter-out 0 1,$(PLAIN) $(PORTABLE)),)
$(error PLAIN and PORTABLE are 1 or 0, not '$(PLAIN)' and '$(PORTABLE)')
endif
override PLAIN := $(filter 1,$(PLAIN))
override PORTABLE := $(filter 1,$(PORTABLE))
BUILD ?= build$(if $(PLAIN),-plain)$(if $(PORTABLE),-portable)
EXTRA ?=
STEP ?= 05
BENCH ?= --preset paper

# Make takes a space for the end of a name.
ifneq ($(words $(BUILD)),1)
$(error BUILD='$(BUILD)': wanted is one folder, without a space in its name)
endif
STRANGE := $(filter-out steps/%/main.c,$(wildcard steps/*/main.c))
$(if $(STRANGE),$(error '$(STRANGE)': a step's folder has no space in its name))
HASH := \#
STRANGE := $(strip $(foreach c,' " ` $$ & ; | < > ( ) * ? ! $(HASH) : = % \ ~,$(findstring $c,$(wildcard steps/*/main.c))))
$(if $(STRANGE),$(error steps/: a step's folder has no $(STRANGE) in its name))

# What a target takes on the line. A name that it does not take would start hours of other work, so it
# is refused; what is for the programs may stand before make, too.
TAKES_train := SEEDS EPOCHS STEPS DATA TRAIN FOLDER LAUNCH
TAKES_bench := STEPS BENCH
TAKES_results := EPOCHS RESULT_SEEDS LAUNCH DATA$(if $(filter-out fashion-mnist,$(DATA)),, STEPS LR LONGER BENCH)
TAKES_variants := EPOCHS LR RESULT_SEEDS LONGER LAUNCH
TAKES_diff := STEP FROM
TAKES_start := STEP TO TASKS
TAKES_grade := STEP MINE SEED FORMAT
TAKES_handout := STEP
TAKES_handout-check := STEP
TAKES_plots := RUNS
TAKES_collect := RUNS
TAKES_faults := FAULTS
TAKES_kill := KILLS
TAKES_golden := PYTHON SEED
TAKES_fuzz := FUZZ FUZZ_SECONDS
TAKES_mutants := MUTANTS
ALL_TAKE := CC AR MARCH PLAIN PORTABLE BUILD EXTRA CFLAGS CPPFLAGS LDFLAGS LDLIBS V QUIET GNUPLOT CRITERION \
    FASHION_MNIST CIFAR10 CIFAR100 OMP_% LC_% LANG TMPDIR PATH SHELL MAKE% NO_COLOR
set_here = $(foreach v,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $v))),$v))
alike = $(filter $1S $(1:%S=%),$2)
refuse = $(error make $1 takes $(or $(call alike,$2,$(TAKES_$1)),$(TAKES_$1)), not $2)
ifeq ($(MAKELEVEL),0)
GIVEN := $(foreach g,$(MAKECMDGOALS),$(TAKES_$g))
$(foreach g,$(MAKECMDGOALS),$(if $(TAKES_$g),$(foreach v,$(filter-out $(GIVEN) $(ALL_TAKE) -%,$(set_here)),\
    $(call refuse,$g,$v))))
endif

# All cores, and no recipe's output in the middle of another's. A make inside a make is told by the
# outer one, and so is one that was started with -j.
ifeq ($(MAKELEVEL)$(filter -j% --jobserver%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
endif
ifneq ($(filter output-sync,$(.FEATURES)),)
MAKEFLAGS += --output-sync=target
endif
MAKEFLAGS += --no-builtin-rules

# Q hides the commands and SAY prints a short line in their place, unless V=1.
Q := $(if $(V),,@)
SAY = $(if $(V)$(QUIET),,@printf '  %-4s %s\n' $1 $2)

# --- The compiler's options -----------------------------------------------------------------------

# What a user may replace stands in CFLAGS, as elsewhere; what the code needs is always there (files
# above 2 GiB on 32-bit machines, too).
CFLAGS ?= -O3 -g

# Apple's clang says -mcpu to a processor of its own. Without a name (MARCH=) the compiler chooses.
accepts = $(shell $(CC) $1 -E -x c /dev/null >/dev/null 2>&1 && echo $1)
ifneq ($(MARCH),)
ARCH := $(firstword $(call accepts,-march=$(MARCH)) $(call accepts,-mcpu=$(MARCH)) -march=$(MARCH))
endif
LIBS = -lm
ifneq ($(findstring wasm32-wasi,$(CC)),) # WebAssembly, outside of a browser: no threads, no processes
THREADS := -isystem common/base/wasi
LIBS += -Wl,-z,stack-size=8388608
else
THREADS := -pthread
endif
# Some parameters are the fast engine's alone.
PLAIN_ONLY := $(if $(PLAIN),-DPLAIN_ONLY -Wno-unused-parameter)
# A multiplication and an addition may become one instruction, which rounds once.
ROUNDING := $(if $(PORTABLE),-ffp-contract=off -DPORTABLE,-ffp-contract=fast)
NEEDED = -std=gnu11 -D_FILE_OFFSET_BITS=64 $(ROUNDING) -Wall -Wextra $(THREADS) -Icommon $(PLAIN_ONLY)
COMPILE = $(CC) $(NEEDED) $(ARCH) $(CPPFLAGS) $(CFLAGS) $(EXTRA)
LINK = $(COMPILE) $(LDFLAGS)

# system.c speaks on processors that lack what the rest is compiled for. portable.c computes what a
# rounding loses, and randaugment.c rounds where Pillow does; with PORTABLE=1 the library has portable.c's
# functions instead of libm's. The loops of docs/speed do what they say: only what is written with
# vectors uses them. What is tested is the library; gcc 12 fails on a test of its own at -O3 for aarch64.
OWN_COMPILE = $(if $(filter common/base/system,$1),$(filter-out $(ARCH),$(COMPILE)),$(COMPILE)) \
    $(if $(filter common/base/built_for,$1),-DCOMMIT='"$(shell cat $(BUILD)/commit)"') \
    $(if $(filter common/base/portable common/data/randaugment,$1),-ffp-contract=off) \
    $(if $(PORTABLE),$(if $(filter common/% steps/%,$1),-Icommon/base/portable)) \
    $(if $(filter docs/speed/%,$1),-fno-tree-vectorize -fno-tree-slp-vectorize) \
    $(if $(filter $(TESTS:%.c=%) tests/portable/%,$1),-O1 $(CRITERION_CFLAGS))

# --- Files ----------------------------------------------------------------------------------------

FAST := $(if $(PLAIN),,$(wildcard common/engine/fast/*.c common/engine/fast/kernels/*.c))
LIBRARY := $(sort $(wildcard common/*/*.c) $(FAST))
MAINS := $(sort $(wildcard steps/*/main.c))
TESTS := $(sort $(wildcard tests/*.c))
# Without the fast engine: not its own tests, nor those of the pages, which tell of both.
ifneq ($(PLAIN),)
TESTS := $(filter-out $(shell grep -l '^#include "\(engine/fast/\|random_networks.h\)' $(TESTS)),$(TESTS))
TESTS := $(filter-out tests/test_docs.c tests/test_engines.c tests/test_speed.c,$(TESTS))
endif
HEADERS := $(wildcard common/*.h common/*/*.h common/engine/fast/*.h common/engine/fast/kernels/*.h tests/*.h)
SCRIPTS := $(wildcard .ci/run results/*.sh docs/*.sh docs/page/*.sh docs/page/test/*.sh tests/*.sh tests/fuzz/*.sh)

ARCHIVE := $(BUILD)/libcommon.a
PROGRAMS := $(MAINS:steps/%/main.c=$(BUILD)/%)
OBJECTS := $(patsubst %.c,$(BUILD)/obj/%.o,$(LIBRARY) $(MAINS))
TEST_OBJECTS := $(TESTS:%.c=$(BUILD)/obj/%.o)
SPEED := $(if $(PLAIN),,$(sort $(wildcard docs/speed/*.c)))
SPEED_OBJECTS := $(SPEED:%.c=$(BUILD)/obj/%.o)

# What `make train` trains and `make bench` measures; empty: every step.
SEEDS ?= 1
EPOCHS ?= 10
STEPS ?=

.PHONY: all ladder plots objects test check sanitize fuzz mutants faults kill golden portability bench speed train results variants collect \
    built diff start grade grade-mistakes handout handout-check docs help clean check-setup FORCE
.DELETE_ON_ERROR:
.SECONDARY:

all: ladder ## every step's program, the table of all steps and the plots
	+@$(MAKE) --no-print-directory drawn

# --- Building -------------------------------------------------------------------------------------

# Holds the compiler, its options and what they come to on this machine ("native"), and is written
# when that changes: then all is compiled again.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@new=$@.$$$$; { echo '$(LINK)'; $(COMPILE) -dM -E -x c /dev/null | cksum; } >$$new; \
	    if cmp -s $$new $@; then rm $$new; else mv $$new $@; fi

# Holds the commit, and whether files differ from it: then one object is compiled again. A repository
# that these files only lie in has nothing to say.
$(BUILD)/commit: FORCE
	@mkdir -p $(@D)
	@export GIT_OPTIONAL_LOCKS=0; { git ls-files --error-unmatch $(COMMITTED) >/dev/null && \
	    commit=$$(git rev-parse --short=12 HEAD) && changed=$$(git status --porcelain $(COMMITTED)) && \
	    commit="$$commit$${changed:++changed}"; } 2>/dev/null || commit=unknown; \
	    echo "$$commit" | cmp -s - $@ || echo "$$commit" >$@
COMMITTED := :/Makefile :/common :/steps :/results/variants.tsv

$(BUILD)/obj/common/base/built_for.o: $(BUILD)/commit

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	$(call SAY,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(call OWN_COMPILE,$*) -MMD -MP -c -o $@ $<

$(ARCHIVE): $(LIBRARY:%.c=$(BUILD)/obj/%.o)
	$(call SAY,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# From the library's objects, not from its archive: a function of a step that is called like one of
# the library's is then an error of the linker, where an archive's would be left out in silence.
$(PROGRAMS): $(BUILD)/%: $(BUILD)/obj/steps/%/main.o $(LIBRARY:%.c=$(BUILD)/obj/%.o)
	$(call SAY,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(LIBS) $(LDLIBS)

$(BUILD)/speed: $(SPEED_OBJECTS) $(ARCHIVE)
	$(call SAY,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(LIBS) $(LDLIBS)

# Makes and checks pages and tables, and runs the pages' commands.
PAGES := $(patsubst %.c,$(BUILD)/obj/%.o,$(sort $(wildcard docs/pages/*.c)))
$(BUILD)/pages: $(PAGES) $(ARCHIVE)
	$(call SAY,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(LIBS) $(LDLIBS)

# A step's network with a program of docs/examples in place of the commands: only what it needs is
# linked, and the archive's step_main is not.
LEARN := $(BUILD)/obj/docs/examples/learn.o $(BUILD)/obj/docs/examples/classify.o
define example
$(MAINS:steps/%/main.c=$(BUILD)/$1/%): $(BUILD)/$1/%: $(BUILD)/obj/docs/examples/$1.o $(BUILD)/obj/steps/%/main.o $(ARCHIVE)
	$$(call SAY,LINK,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(LINK) -o $$@ $$^ $$(LIBS) $$(LDLIBS)
endef
$(foreach e,learn classify,$(eval $(call example,$e)))

# Holds a reader's step to one of ours.
GRADE := $(patsubst %.c,$(BUILD)/obj/%.o,$(sort $(wildcard docs/grade/*.c)))
$(BUILD)/grade: $(GRADE) $(ARCHIVE)
	$(call SAY,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(LIBS) $(LDLIBS)

objects: $(OBJECTS) $(SPEED_OBJECTS) $(PAGES) $(GRADE) $(LEARN) $(if $(COMPILE_TESTS),$(TEST_OBJECTS))

-include $(OBJECTS:.o=.d) $(TEST_OBJECTS:.o=.d) $(SPEED_OBJECTS:.o=.d) $(PAGES:.o=.d) $(GRADE:.o=.d) $(LEARN:.o=.d)

# --- The ladder -----------------------------------------------------------------------------------

# A reader's own steps are in this table too; of ours alone is results/ladder.tsv.
ladder: $(BUILD)/ladder.tsv
	@$(BUILD)/pages text $<

$(BUILD)/ladder.tsv: $(PROGRAMS) $(BUILD)/pages $(BUILD)/programs $(wildcard results/*.tsv)
	@$(BUILD)/pages ladder

# Is written when a step comes or goes; the program of one that is gone goes too, since the others
# would still compare with it.
$(BUILD)/programs: FORCE
	@mkdir -p $(@D)
	@echo '$(PROGRAMS)' | cmp -s - $@ || { \
	    for old in $$(cat $@ 2>/dev/null); do \
	        case ' $(PROGRAMS) ' in *" $$old "*) ;; *) rm -f "$$old" ;; esac; \
	    done; \
	    echo '$(PROGRAMS)' > $@; }

# --- Plots ----------------------------------------------------------------------------------------

# The tables that a plot is drawn from, where it is not the one of its name alone.
TABLES_activations :=
TABLES_drop_path :=
TABLES_road := altered paper ladder
TABLES_cost := altered ladder
TABLES_rows := rows paper_roadmap
TABLES_kernel_size := rows paper_roadmap
TABLES_corruption := altered table8
TABLES_sizes := published
TABLES_noise := noise rows
TABLES_images := trainings altered
TABLES_strip := strip strip_answers
TABLES_field := field_before field_after
tables = $(addsuffix .tsv,$(if $(filter undefined,$(origin TABLES_$1)),$1,$(TABLES_$1)))
# Those of them that nobody has measured yet.
missing = $(filter-out $(notdir $(wildcard results/*.tsv)) paper_roadmap.tsv,$(call tables,$1))
PLOTS := $(patsubst results/%.gp,%,$(filter-out results/style.gp,$(wildcard results/*.gp)))
DRAWN := $(foreach p,$(PLOTS),$(if $(call missing,$p),,$p))
GNUPLOT ?= gnuplot
ifneq ($(shell command -v $(GNUPLOT) 2>/dev/null),)
# Without cairo it draws no PNG.
KINDS = $(shell $(GNUPLOT) -e 'set print "-"; print GPVAL_TERMINALS' | tr ' ' '\n' | \
    sed -n 's/^svg$$/svg/p; s/^pngcairo$$/png/p')
HOW_DRAWN = $(if $(filter png,$(KINDS)),,gnuplot has no terminal pngcairo: no plot is drawn as PNG)
else
DRAWN :=
HOW_DRAWN = no gnuplot: no plot is drawn (apt-get install gnuplot-nox, brew install gnuplot)
endif

# What make draws: in BUILD/plots, with a reader's own steps.
.PHONY: drawn
drawn: $(DRAWN:%=$(BUILD)/plots/%.svg)
	@$(if $(HOW_DRAWN),echo '$(HOW_DRAWN)',:)
	@$(foreach p,$(PLOTS),$(if $(call missing,$p),echo '$p is not drawn: there is no $(call missing,$p) (make results)';)):

# With RUNS, folders as make train leaves them, these runs stand beside ours; in BUILD/plots, too.
ifeq ($(RUNS),)
plots: $(DRAWN:%=$(BUILD)/pictures/%.svg) ### the plots in results/, in English and Chinese (RUNS=runs/fashion-mnist-10: with your runs beside ours, in BUILD/plots)
	@$(if $(DRAWN),,echo '$(HOW_DRAWN)')
	@mkdir -p results/zh; for picture in $(DRAWN:%=%.svg); do \
	    cp $(BUILD)/pictures/$$picture results && cp $(BUILD)/pictures/zh/$$picture results/zh; done
else
plots: drawn
$(BUILD)/plots/road.svg $(BUILD)/plots/cost.svg $(BUILD)/plots/curves.svg: $(BUILD)/plots/runs.tsv
$(BUILD)/plots/runs.tsv: $(BUILD)/pages FORCE
	@mkdir -p $(@D) && $< collect fashion-mnist $@ $(@D)/runs_curves.tsv $(foreach r,$(RUNS),'$r'/*/run.tsv)
endif

# Where a reader's language is Chinese their plots are drawn in it as well.
LANGUAGES := en $(if $(filter zh%,$(LC_ALL) $(LC_MESSAGES) $(LANG)),zh)
# In a folder, where its tables are: a plot, of these kinds and languages (en, and in zh/ zh).
define plot
$(BUILD)/$1/$2.svg: results/$2.gp results/style.gp docs/pages/blocks_altered.c $(addprefix $(BUILD)/$1/,$(call tables,$2)) | $(BUILD)/pages
	$$(call SAY,PLOT,$$@)
	@mkdir -p $$(@D)/zh
	$$(Q)cd $$(@D) && for language in $4; do for kind in $3; do LC_ALL=C.UTF-8 $(GNUPLOT) -e \
	    "STYLE = '$$(CURDIR)/results/style.gp'; PAGES = '$$(abspath $(BUILD)/pages)'; KIND = '$$$$kind'; LANGUAGE = '$$$$language'" \
	    '$$(CURDIR)/$$<' || exit; done; done
endef
$(foreach p,$(DRAWN),$(eval $(call plot,plots,$p,$$(KINDS),$(LANGUAGES)))$(eval $(call plot,pictures,$p,svg,en zh)))

$(BUILD)/plots/%.tsv: results/%.tsv
	@mkdir -p $(@D) && cp $< $@
$(BUILD)/pictures/%.tsv: results/%.tsv
	@mkdir -p $(@D) && cp $< $@
$(BUILD)/plots/paper_roadmap.tsv $(BUILD)/pictures/paper_roadmap.tsv: tests/data/paper_roadmap.tsv
	@mkdir -p $(@D) && cp $< $@
$(BUILD)/plots/ladder.tsv: $(BUILD)/ladder.tsv
	@mkdir -p $(@D) && cp $< $@
$(BUILD)/pictures/ladder.tsv: $(BUILD)/ladder.tsv
	@mkdir -p $(@D) && awk -F '\t' 'NR == 1 || $$11 != "own"' $< > $@

# --- Tests and checks -----------------------------------------------------------------------------

# One binary, a suite per file; it finds the programs through BUILD. A make that a test runs compiles as
# this one did.
test: tests $(BUILD)/faults.so $(BUILD)/ladder.tsv ## Criterion's tests of the library and of the programs
	$(Q)BUILD=$(BUILD) CC='$(CC)' MARCH='$(MARCH)' PLAIN='$(PLAIN)' PORTABLE='$(PORTABLE)' EXTRA='$(EXTRA)' $(BUILD)/tests

.PHONY: tests
tests: $(BUILD)/tests $(PROGRAMS) $(if $(wildcard steps/05_large_kernel),$(BUILD)/learn/05_large_kernel) $(if $(SPEED),$(BUILD)/speed) $(BUILD)/pages $(BUILD)/grade

# Says where Criterion is installed (CRITERION=folder), or "portable": what tests/portable has of it is
# taken in its place (CRITERION=portable).
$(BUILD)/criterion: $(BUILD)/flags FORCE
	@for in in $(if $(CRITERION),$(CRITERION),/usr /usr/local /opt/homebrew) portable; do \
	    case $$in in portable | /usr) flags= ;; *) flags=-I$$in/include ;; esac; \
	    [ $$in = portable ] || $(COMPILE) $$flags -include criterion/criterion.h -E -x c /dev/null \
	        >/dev/null 2>&1 && break; \
	done; \
	[ $$in != portable ] || [ '$(CRITERION)' = portable ] || echo 'no Criterion: tests/portable in' \
	    'its place (apt-get install libcriterion-dev, brew install criterion, CRITERION=folder)'; \
	echo $$in | cmp -s - $@ || echo $$in >$@

FOUND = $(filter-out /usr,$(shell cat $(BUILD)/criterion 2>/dev/null))
CRITERION_CFLAGS = $(if $(FOUND),-I$(if $(filter portable,$(FOUND)),tests/portable,$(FOUND)/include))
CRITERION_LIBS = $(if $(filter portable,$(FOUND)),,$(FOUND:%=-L%/lib) -lcriterion)

$(TEST_OBJECTS) $(BUILD)/obj/tests/portable/runner.o: $(BUILD)/criterion

# The runner is empty where Criterion is there.
$(BUILD)/tests: $(TEST_OBJECTS) $(BUILD)/obj/tests/portable/runner.o $(ARCHIVE)
	$(call SAY,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(CRITERION_LIBS) $(LIBS) $(LDLIBS)

# Under it the system's calls fail; never with EXTRA's sanitizers, whose allocator it would replace.
$(BUILD)/faults.so: tests/faults/preload.c $(BUILD)/flags
	$(Q)$(CC) -std=gnu11 -O1 -Wall -Wextra -fPIC -shared -o $@ $< -ldl

FAULTS ?= all
faults: tests $(BUILD)/faults.so #### make every system call fail once, for minutes (FAULTS=100: only so many)
	$(Q)FAULTS='$(FAULTS)' BUILD=$(BUILD) $(BUILD)/tests --filter 'faults/*'

KILLS ?= 100
kill: $(BUILD)/11_drop_path_layer_scale #### kill training runs at KILLS=100 random moments; they must end with the same bytes
	$(Q)tests/kill.sh $(BUILD) $(KILLS)

# The files are those in tests/data, or with SEED those of other random inputs.
PYTHON ?= python3
GOLDEN := $(if $(SEED),$(BUILD)/golden,tests/data)
golden: $(PROGRAMS) #### the tests' golden files made anew by PyTorch, and export --pytorch held to them and to C (SEED=1: to other inputs)
	@if $(PYTHON) -c 'import PIL, safetensors.torch' 2>/dev/null; then \
	    $(PYTHON) -B tests/data/make.py $(if $(SEED),--write $(GOLDEN) --seed $(SEED),--check) && \
	    $(PYTHON) -B tests/data/programs.py $(BUILD) $(GOLDEN); \
	else echo 'no PyTorch: golden files not checked (pip install torch numpy pillow safetensors)'; fi

SANITIZE := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
SANITIZE_THREADS := -O1 -fsanitize=thread
# ThreadSanitizer leaves Criterion no address for its memory. The tests left out run make and gnuplot.
sanitize: #### the same tests with Address- and UndefinedBehaviorSanitizer, then with ThreadSanitizer
	$(Q)$(MAKE) --no-print-directory BUILD=build-asan EXTRA='$(SANITIZE)' test
	$(Q)$(MAKE) --no-print-directory BUILD=build-tsan EXTRA='$(SANITIZE_THREADS)' CRITERION=portable tests
	$(Q)BUILD=build-tsan EXTRA='$(SANITIZE_THREADS)' build-tsan/tests docs results

# Each of tests/fuzz for FUZZ_SECONDS, or those that FUZZ names; libFuzzer comes with clang.
FUZZ_SECONDS ?= 60
FUZZ := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz: #### file and option readers on random bytes, plans on random networks (FUZZ_SECONDS=60 FUZZ="pnm idx")
	+@FUZZ_SECONDS='$(FUZZ_SECONDS)' MAKE='$(MAKE)' tests/fuzz/run.sh $(FUZZ)

# A wrong option ends the program, which is not to be the fuzzer's end.
$(BUILD)/fuzz/network: WRAP := -Wl,--wrap=exit
$(BUILD)/fuzz/random_networks: $(BUILD)/obj/tests/random_networks.o
$(FUZZ:%=$(BUILD)/fuzz/%): $(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(ARCHIVE)
	$(call SAY,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(LINK) -fsanitize=fuzzer $(WRAP) -o $@ $^ $(ARCHIVE) $(LIBS)

# Each of tests/mutants/list, or those that MUTANTS names.
mutants: tests $(BUILD)/faults.so #### plant one-line faults, which the tests must notice, for half an hour (MUTANTS="3 7")
	+@MAKE='$(MAKE)' tests/mutants/run.sh '$(BUILD)' $(MUTANTS)

portability: #### the tests as built by gcc and clang at every level, and for other processors
	+@MAKE='$(MAKE)' tests/portability.sh $(PORTS)

check: check-format check-gcc check-clang check-cppcheck check-analyzer #### format, warnings as errors, cppcheck, gcc -fanalyzer
.PHONY: check-format check-gcc check-clang check-cppcheck check-analyzer

FORMATTER := $(firstword $(foreach c,clang-format-14 clang-format,$(if $(shell command -v $c 2>/dev/null),$c)))
check-format:
ifneq ($(FORMATTER),)
	$(Q)$(FORMATTER) --dry-run -Werror $(LIBRARY) $(MAINS) $(TESTS) $(HEADERS) \
	    $(wildcard common/base/wasi/*.h common/base/wasi/*/*.h common/base/portable/*.h tests/*/*.[ch] tests/*/*/*.h docs/examples/*.[ch] docs/page/*.[ch] docs/pages/*.[ch] docs/grade/*.[ch]) $(SPEED) $(wildcard docs/speed/*.h)
	@echo 'format: good'
else
	@echo 'no clang-format: format not checked (apt-get install clang-format-14)'
endif

check-gcc check-clang: check-%:
	@if command -v $* >/dev/null; then \
	    $(MAKE) --no-print-directory CC=$* BUILD=$(BUILD)/check-$* EXTRA=-Werror QUIET=1 \
	        COMPILE_TESTS=1 objects && echo 'warnings of $*: none'; \
	else echo 'no $*: its warnings not checked (apt-get install $*)'; fi

# Where cppcheck 2.10 is mistaken: it does not know that vsnprintf fills what it is given, nor a
# compound literal behind a ?, nor that GNU C shifts signed numbers arithmetically, nor that a network
# has a class.
MISTAKEN := ctuuninitvar internalAstError shiftTooManyBitsSigned invalidFunctionArg \
    arrayIndexThenCheck missingInclude
check-cppcheck:
	@if command -v cppcheck >/dev/null; then \
	    cppcheck -q --error-exitcode=1 --enable=warning,performance,portability --std=c11 \
	        '-D_Noreturn=__attribute__((noreturn))' $(MISTAKEN:%=--suppress=%) -Icommon \
	        $(LIBRARY) $(MAINS) $(SPEED) && echo 'cppcheck: good'; \
	else echo 'no cppcheck: its part not checked (apt-get install cppcheck)'; fi

# Where gcc 12 is mistaken: it does not know that a gradient that is handed on lies in memory. The
# kernels are left out: straight loops over what they are given, and minutes of its time.
ANALYZER_MISTAKEN := -Wno-analyzer-null-dereference
check-analyzer:
	@if gcc -fanalyzer -x c -c -o /dev/null /dev/null 2>/dev/null; then \
	    printf '%s\n' $(filter-out common/engine/fast/kernels/%,$(LIBRARY)) | xargs -n 1 -P 2 gcc -std=gnu11 -O1 \
	        -fanalyzer -Werror $(ANALYZER_MISTAKEN) -pthread -Icommon -c -o /dev/null && \
	    echo 'gcc -fanalyzer: good'; \
	else echo 'no gcc: its analyzer not asked (apt-get install gcc)'; fi

# --- The page -------------------------------------------------------------------------------------

# All steps as one program for a browser: each step's main has the step's name, and a program that they
# run is another instance of the module. A step whose name is none in C is left out.
IN_PAGE := $(foreach s,$(MAINS:steps/%/main.c=%),$(if $(shell echo '$s' | grep -x '[0-9A-Za-z_]*'),$s))
# Steps with the edit of an exercise's answer, which docs/page/build.sh writes.
TRIES := $(wildcard $(BUILD)/tries/*/main.c)
IN_MODULE := $(IN_PAGE) $(TRIES:$(BUILD)/tries/%/main.c=%)
open := (
close := )
MODULE := $(IN_MODULE:%=$(BUILD)/obj/page/%.o) $(BUILD)/obj/docs/page/module.o $(BUILD)/obj/docs/page/process.o \
    $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out common/base/process.c,$(LIBRARY)))

$(BUILD)/obj/page/%.o: steps/%/main.c $(BUILD)/flags
	$(call SAY,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(call OWN_COMPILE,steps/$*/main) -Dmain=main_$* -MMD -MP -c -o $@ $<

$(BUILD)/obj/page/%.o: $(BUILD)/tries/%/main.c $(BUILD)/flags
	$(call SAY,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(call OWN_COMPILE,steps/$*/main) -Dmain=main_$* -MMD -MP -c -o $@ $<

$(BUILD)/obj/docs/page/module.o: $(BUILD)/programs $(TRIES)
$(BUILD)/obj/docs/page/module.o: override CPPFLAGS += -DSTEPS='$(patsubst %,STEP$(open)%$(close),$(IN_MODULE))'
$(BUILD)/ladder.wasm: $(MODULE)
	$(call SAY,LINK,$@)
	$(Q)$(LINK) -Wl,--strip-all -o $@ $^ $(LIBS)

SITE := $(patsubst %,$(BUILD)/obj/docs/%.o,page/site page/slides page/mathml pages/anchor)
$(BUILD)/site: $(SITE) $(ARCHIVE)
	$(call SAY,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(LIBS) $(LDLIBS)

-include $(MODULE:.o=.d) $(SITE:.o=.d)

.PHONY: page page-test
page: $(BUILD)/site ### the steps in one page for a browser, and the lessons around it, in BUILD/page
	+@MAKE='$(MAKE)' docs/page/build.sh $(BUILD)

page-test: page $(PROGRAMS) #### the page in a headless Chromium, and its module against make PORTABLE=1
	+@MAKE='$(MAKE)' docs/page/test/run.sh $(BUILD)

# --- Looking --------------------------------------------------------------------------------------

# Output behind a + is shown as it comes. Run them on a machine that does nothing else.
COMPILER = $$($(CC) --version | head -n 1)
bench: $(PROGRAMS) $(BUILD)/pages ### how fast every step runs, into results/speed.tsv (STEPS="00 05" BENCH="--preset paper")
	+@BENCH='$(BENCH)' STEPS='$(STEPS)' COMPILER="$(COMPILER)" results/speed.sh $(BUILD) results/speed.tsv

speed: $(BUILD)/speed $(BUILD)/pages ### how the kernels became fast, into results/kernels.tsv (docs/speed.md)
	+@COMPILER="$(COMPILER)" results/kernels.sh $(BUILD)

train: $(PROGRAMS) $(BUILD)/pages ## train the steps on Fashion-MNIST, resumable (SEEDS="1 2 3" EPOCHS=10 STEPS="00 05" LAUNCH="parallel -j 4")
	+@exec env SEEDS='$(SEEDS)' EPOCHS='$(EPOCHS)' STEPS='$(STEPS)' results/train.sh $(BUILD)

# The ladder as it is in results/, with the paper's learning rate.
LR ?= 4e-3
RESULT_SEEDS := 1 2 3
DATA ?= fashion-mnist
# The images' own size, where the preset's enlarges them.
OWN_SIZE := $(if $(filter cifar%,$(DATA)),3x32x32)
results: $(PROGRAMS) $(BUILD)/pages ### train all steps with three seeds, test, measure and draw (a day on 2 cores; DATA=cifar10: your own files)
ifneq ($(DATA),fashion-mnist)
	+@exec env SEEDS='$(RESULT_SEEDS)' EPOCHS='$(EPOCHS)' results/other.sh $(BUILD) '$(DATA)' $(OWN_SIZE)
else
	+@echo 'Trains every step with three seeds, ten epochs each: about half a day on two cores; then as long for altered images.'
	+@exec env SEEDS='$(RESULT_SEEDS)' EPOCHS='$(EPOCHS)' STEPS='$(or $(STEPS),ours)' \
	    FOLDER=results/ladder TRAIN='--lr $(LR) --layer-scale 0.1' results/train.sh $(BUILD)
	+@$(MAKE) --no-print-directory variants
	+@exec env BUILD='$(BUILD)' SEEDS='$(RESULT_SEEDS)' EPOCHS='$(EPOCHS)' results/altered.sh
	+@$(MAKE) --no-print-directory RUNS= collect
	+@$(MAKE) --no-print-directory bench
	+@$(MAKE) --no-print-directory RUNS= plots
endif

# What may explain where the road turns: steps with one more edit, and some steps for twice as long.
LONGER ?= 01 04 09 10 12
variants: $(PROGRAMS) $(BUILD)/pages ### train steps with one more edit, and some for twice the epochs
	+@results/variants.sh $(BUILD) CC='$(CC)' MARCH='$(MARCH)'
	+@cd $(BUILD)/variants && exec env SEEDS='$(RESULT_SEEDS)' EPOCHS='$(EPOCHS)' STEPS= \
	    FOLDER='$(CURDIR)/results/variants' TRAIN='--lr $(LR) --layer-scale 0.1' results/train.sh build
	+@exec env SEEDS=1 EPOCHS=$$((2 * $(EPOCHS))) STEPS='$(LONGER)' FOLDER=results/longer \
	    TRAIN='--lr $(LR) --layer-scale 0.1' results/train.sh $(BUILD)

ifeq ($(RUNS),)
collect: $(PROGRAMS) $(BUILD)/pages ### the tables of all runs in results (RUNS="a b": of these folders' runs, in BUILD/runs.tsv)
	@$(BUILD)/pages collect - results/accuracy.tsv results/curves.tsv results/ladder/*/run.tsv
	@$(BUILD)/pages collect - results/variants_accuracy.tsv - results/variants/*/run.tsv
	@$(BUILD)/pages collect - results/longer_accuracy.tsv - results/longer/*/run.tsv
	@results/look.sh $(BUILD) results/ladder results
	@results/strip.sh $(BUILD) 0
else
collect: $(BUILD)/pages
	@$(BUILD)/pages join $(BUILD)/runs.tsv $(BUILD)/runs_curves.tsv $(foreach r,$(RUNS),'$r'/*/run.tsv)
endif

check-setup: ## what is installed, what is missing, and what works without it
	@CC='$(CC)' GNUPLOT='$(GNUPLOT)' docs/setup.sh

built: $(PROGRAMS)
	@:

# A step that does not build has a diff too, behind the compiler's errors.
diff: ## the diff of STEP=05 to the step before (FROM=03: to that step)
	+@$(if $(FROM),,$(MAKE) --no-print-directory -k built || true;) \
	[ -t 1 ] && [ -z "$$NO_COLOR" ] && [ "$${TERM:-dumb}" != dumb ] && colour=--color || colour=; \
	docs/diffs.sh $$colour $(BUILD) $(STEP) $(FROM)

start: ## a step of your own: the one before STEP=05 with its task as comments (TO=steps/14_mine TASKS=docs/zh/tasks)
	@TASKS='$(TASKS)' docs/start.sh '$(STEP)' '$(TO)'

# Only our steps are built for it: a reader's may be the one that does not compile.
OURS := $(foreach l,$(wildcard docs/[0-9]*.md),$(if $(wildcard steps/$(basename $(notdir $l))/main.c),$(BUILD)/$(basename $(notdir $l))))
GRADER = GRADE_COMPILE='$(LINK)' GRADE_WITH='$(LIBRARY:%.c=$(BUILD)/obj/%.o) $(LIBS) $(LDLIBS)'
FORMAT ?= text
grade: QUIET := $(if $(filter text,$(FORMAT)),,1)
grade: $(OURS) $(BUILD)/grade ## MINE=steps/14_mine held to STEP=05, as a teacher does it (SEED=2 FORMAT=text|tsv|json)
	@$(GRADER) $(BUILD)/grade '$(STEP)' '$(MINE)' --seed '$(or $(SEED),1)' --format '$(FORMAT)'

handout: ### what a student of STEP=05 is given, in BUILD: no later step, no answers
	@mkdir -p $(BUILD)
	@docs/handout.sh '$(STEP)' '$(BUILD)/handout-$(STEP).tar.gz'

handout-check: handout #### what is handed out is unpacked, made and tested, for minutes
	@folder=$$(mktemp -d) && tar -xzf '$(BUILD)/handout-$(STEP).tar.gz' -C "$$folder" && \
	    (unset MAKEFLAGS MAKELEVEL MFLAGS MAKEOVERRIDES BUILD; cd "$$folder"/convnext-steps-* && $(MAKE) && \
	    $(MAKE) test); status=$$?; rm -rf "$$folder"; exit $$status

grade-mistakes: $(OURS) $(BUILD)/grade #### usual mistakes in steps, each of which make grade must tell in its own words, for a minute
	@$(GRADER) tests/grade/run.sh $(BUILD)

# What is counted, in results/ladder.tsv and stages.tsv, comes before the pages that are made from it.
docs: $(PROGRAMS) $(BUILD)/pages #### results/ladder.tsv, docs/diffs, and the figures in the pages, from the steps
	@$(BUILD)/pages counts results
	@$(BUILD)/pages write

# First what a reader wants, then what makes the tables, then what keeps all this up. A handout, which is
# without the lessons' list, can make the first alone.
help: ## this list
	@for group in '##' $(if $(wildcard docs/README.md),'###' '####'); do awk -F ":.* $$group " '/^[a-z-]+:/ && NF > 1 { \
	    printf "  make %-13s %s\n", $$1, $$2 }' Makefile; echo; done
	@echo 'Set on the line: CC=clang MARCH=x86-64-v3 PLAIN=1 (no fast engine) PORTABLE=1 (the same bytes everywhere) BUILD=folder V=1 (shows the commands)'

# Not a folder that BUILD names by mistake, with a reader's files in it.
clean: ## remove what was built
	@[ ! -e $(BUILD) ] || { [ -e $(BUILD)/flags ] && [ ! -e $(BUILD)/Makefile ] && [ ! -e $(BUILD)/.git ] && \
	    [ "$$(cd $(BUILD) && pwd -P)" != "$$(cd && pwd -P)" ]; } || { \
	    echo 'make clean: $(BUILD) is not a folder of what make built, and is left alone' >&2; exit 1; }
	rm -rf $(BUILD) build-plain build-portable build-plain-portable build-asan build-tsan build-fuzz build-port
