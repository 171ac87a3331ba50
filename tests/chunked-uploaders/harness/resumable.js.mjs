resumable.on('fileAdded', () => resumable.upload());
resumable.on('fileSuccess', () => report('success'));
resumable.on('fileError', (file, message) => report(`error ${message}`));
const start = file => resumable.addFile(file);
