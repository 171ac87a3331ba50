using ResumableUploads.Testing;

[assembly: TestTimeout(60)]
