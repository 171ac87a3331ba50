// Appended to a recipe of the documentation, together with the file of its library. The test chooses a file and waits for the result.
const report = result => { document.getElementById('result').value = result; };
addEventListener('error', event => report(`error ${event.message}`));
addEventListener('unhandledrejection', event => report(`error ${event.reason}`));
document.getElementById('file').onchange = event => start(event.target.files[0]);
