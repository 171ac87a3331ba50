using ResumableUploads.Testing;

[assembly: TestTimeout(300)]
