/* Runs as lines for the shell, and whoever takes such lines. */
#ifndef DOCS_PAGES_LAUNCH_H
#define DOCS_PAGES_LAUNCH_H

/* Prints a line that runs a command from any folder of any machine that has the same files. words:
 * the folder to run it in, names of environment variables that go with it where they are set, "--",
 * the command's words. Ends the program where a word has a newline. */
void launch_line(char *const *words);

/* Runs a command, whose words these are, on this program's standard input and returns its exit
 * status, 128 + the signal's number where one ended it, 127 where it cannot be run. What this
 * program is told to end (SIGHUP, SIGINT, SIGTERM) ends all that the command started and did not
 * put into a group of its own, and this program ends by the same signal once they are gone, or
 * after a minute; SIGTSTP stops them and this program. */
int launch_run(char *const *command);

#endif
