/**
 * Stands in the place of `sqlite3` under Jest. TypeORM calls `verbose()` whenever it loads the driver, which wraps the
 * methods of native classes. Jest loads the driver anew for each test file, but a process has the native classes only
 * once: without this a statement of the sixtieth file would run through sixty wrappers.
 */
const sqlite3 = require('sqlite3/lib/sqlite3.js');

sqlite3.verbose = () => sqlite3;
module.exports = sqlite3;
