dropzone.on('success', () => report('success'));
dropzone.on('error', (file, message) => report(`error ${message}`));
const start = file => dropzone.addFile(file);
