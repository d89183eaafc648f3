// Runs in promptfoo's own environment: answers what is written down, in turn for each repeat.
const fs = require('fs');
const path = require('path');

const questions = JSON.parse(fs.readFileSync(path.join(__dirname, 'questions.json'), 'utf8'));
const turns = new Map(questions.map((row) => [row.question, [...row.given]]));

module.exports = class Written {
  id() {
    return 'written';
  }
  async callApi(prompt, context) {
    const question = context.vars.question;
    if (prompt.includes('FAIL') && question.includes('12 + 9')) return { error: '429 Too Many Requests' };
    return {
      output: `The answer is ${turns.get(question).shift()}`,
      cost: 0.001,
      tokenUsage: { prompt: 12, completion: 8, total: 20 },
    };
  }
};
