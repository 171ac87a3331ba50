using ResumableUploads.Testing.S3;

namespace ResumableUploads.FunctionalTests.Stores.S3.Fake;

public sealed class FakeS3ContentTests(FakeS3Server server) : S3ContentTests(server), IClassFixture<FakeS3Server>;

public sealed class FakeS3HttpTests(FakeS3Server server) : S3HttpTests(server), IClassFixture<FakeS3Server>;
