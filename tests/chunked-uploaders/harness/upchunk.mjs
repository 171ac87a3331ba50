const start = file => upload(file, () => report('success'));
