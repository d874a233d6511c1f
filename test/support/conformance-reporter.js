import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

const CITATION = /`(test\/[^`]+\.test\.ts) › ([^`]+)`/g;

/**
 * Holds docs/conformance.md to what was run: every test that it names must be there and pass. Of a run of some suites,
 * only those are looked at.
 *
 * @implements {import('jest').Reporter}
 */
export default class ConformanceReporter {
  /** @param {{ rootDir: string, testNamePattern?: string }} config */
  constructor(config) {
    this.config = config;
    this.faults = [];
  }

  onRunComplete(_, { testResults }) {
    if (this.config.testNamePattern) return;
    const suites = new Map(
      testResults.map((suite) => [relative(this.config.rootDir, suite.testFilePath), suite.testResults]),
    );
    for (const [, file, name] of readFileSync('docs/conformance.md', 'utf8').matchAll(CITATION)) {
      const tests = suites.get(file)?.filter(({ fullName }) => fullName.includes(name));
      if (!existsSync(file)) this.faults.push(`${file} is not there.`);
      if (tests?.length === 0) this.faults.push(`${file} has no test '${name}'.`);
      const isMet = ({ status }) => status === 'passed' || (status === 'pending' && !process.env.CI);
      if (tests?.some((test) => !isMet(test))) this.faults.push(`${file}: '${name}' did not pass.`);
    }
  }

  getLastError() {
    if (this.faults.length === 0) return undefined;
    return new Error(`docs/conformance.md does not hold:\n${this.faults.join('\n')}`);
  }
}
