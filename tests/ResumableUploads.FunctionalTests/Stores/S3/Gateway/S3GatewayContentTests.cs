namespace ResumableUploads.FunctionalTests.Stores.S3.Gateway;

[Trait(S3Gateway.Trait, S3Gateway.TraitValue)]
public sealed class S3GatewayContentTests(S3Gateway gateway) : S3ContentTests(gateway), IClassFixture<S3Gateway>;

[Trait(S3Gateway.Trait, S3Gateway.TraitValue)]
public sealed class S3GatewayHttpTests(S3Gateway gateway) : S3HttpTests(gateway), IClassFixture<S3Gateway>;
