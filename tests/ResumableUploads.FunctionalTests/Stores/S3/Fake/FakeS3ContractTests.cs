using ResumableUploads.Testing.S3;

namespace ResumableUploads.FunctionalTests.Stores.S3.Fake;

public sealed class FakeS3ContractTests(FakeS3Server server) : S3StoreContractTests(server), IClassFixture<FakeS3Server>;
