flow.on('fileSuccess', () => report('success'));
flow.on('fileError', (file, message) => report(`error ${message}`));
function start(file) {
  flow.addFile(file);
  flow.upload();
}
