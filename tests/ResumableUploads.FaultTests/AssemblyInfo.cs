using ResumableUploads.Testing;

[assembly: TestTimeout(600)]
