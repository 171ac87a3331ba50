uploader.bind('FilesAdded', up => up.start());
uploader.bind('FileUploaded', () => report('success'));
uploader.bind('Error', (up, error) => report(`error ${error.status} ${error.message}`));
uploader.init();
const start = file => uploader.addFile(file);
