module.exports = require('../resolve-from.cjs')(__dirname);
