/* SPDX-License-Identifier: Apache-2.0 */
/* The program of a container. */
#ifndef CALFPEN_PEN_PROGRAM_H
#define CALFPEN_PEN_PROGRAM_H

/*
 * Open the file for execveat(). It must be one that needs nothing else: a regular ELF file for
 * this machine without an interpreter. Symbolic links are refused. Returns a descriptor, or a
 * negative errno: -ENOEXEC for another kind of file.
 */
int pen_program_open(const char *path);

#endif
