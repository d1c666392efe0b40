# Minimal for now; see `make help`.
CC = gcc
MARCH ?= native
BUILD ?= build
OPENMP ?= 1
CFLAGS = -std=gnu11 -O3 -march=$(MARCH) -ffp-contract=fast -Wall -Wextra -g -MMD -MP -Icommon
ifeq ($(OPENMP),1)
CFLAGS += -fopenmp
endif
LIB = $(patsubst %.c,$(BUILD)/%.o,$(wildcard common/*/*.c))
STEPS = $(patsubst steps/%/main.c,$(BUILD)/%,$(wildcard steps/*/main.c))
all: $(STEPS)
$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -c -o $@ $<
$(BUILD)/libcommon.a: $(LIB)
	@rm -f $@
	ar rcs $@ $^
$(BUILD)/%: steps/%/main.c $(BUILD)/libcommon.a
	$(CC) $(CFLAGS) -o $@ $< $(BUILD)/libcommon.a -lm
-include $(LIB:.o=.d)
