/* A disk that is as slow as a test likes: SQLite's syncs go through the program that is linked with this. */
#ifndef SLOW_DISK_H
#define SLOW_DISK_H

/* From now on the writer waits in its next sync. */
void hold_commits(void);

/* Until it does. */
void await_held_commit(void);

void let_commits_go(void);

/* For a program that has a fdatasync of its own: as long as commits are held. */
void slow_disk(void);

#endif
