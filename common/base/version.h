/* The edition of the whole; CHANGELOG.md says what each brought. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define VERSION "2.0"

#endif
