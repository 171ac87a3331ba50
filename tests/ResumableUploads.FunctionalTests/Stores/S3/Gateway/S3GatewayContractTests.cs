namespace ResumableUploads.FunctionalTests.Stores.S3.Gateway;

[Trait(S3Gateway.Trait, S3Gateway.TraitValue)]
public sealed class S3GatewayContractTests(S3Gateway gateway) : S3StoreContractTests(gateway), IClassFixture<S3Gateway>;
