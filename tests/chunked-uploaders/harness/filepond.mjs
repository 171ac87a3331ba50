pond.on('processfile', error => report(error ? `error ${error.body}` : 'success'));
const start = file => pond.addFile(file);
