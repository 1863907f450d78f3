/* path.h - whether two paths name one file, as far as their texts tell, and what the system says.
 *
 * In texts `./` and doubled slashes count for nothing. `..`, links and the folder that a relative path starts from are not
 * looked at: only the system knows them (path_put_real).
 */
#ifndef PIPE_BASE_PATH_H
#define PIPE_BASE_PATH_H

#include "base/str.h"

/* Appends the path without the parts that count for nothing. */
void path_put_plain(Buf *out, Str path);
bool path_same(Str x, Str y);
/* Appends the one path that the system has for the file, without `..` and links; of a file that is not there yet its folder's and
 * its name. False: there is no folder either; as path_put_plain. */
bool path_put_real(Buf *out, Str path);
/* Does the pattern, one of glob(3), match the path? */
bool path_matches(Str pattern, Str path);

#endif
