using ResumableUploads.S3;
using ResumableUploads.TestKit;
using ResumableUploads.Testing.S3;

namespace ResumableUploads.FunctionalTests.Stores.S3.Fake;

/// <summary>A service that ignores conditions: the contract finds it, and the start check refuses it.</summary>
public sealed class BlindServiceTests : IAsyncLifetime
{
    private readonly FakeS3Server _server = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => _server.InitializeAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("Create_with_existing_key_returns_AlreadyExists")]
    [InlineData("Concurrent_creates_of_one_key_succeed_once")]
    [InlineData("Law9_Running_append_returns_NotFound_after_another_store_recreates_upload")]
    [InlineData("Append_that_does_not_end_is_not_taken_over_or_does_not_count")]
    public async Task Contract_finds_a_service_that_ignores_conditions(string name)
    {
        _server.IgnoresPutConditions = true;
        await Assert.ThrowsAsync<StoreContractException>(async () => await StoreContract.RunAsync(name, new S3Storage(await _server.CreateBucketAsync()), Token));
    }

    [Theory]
    [InlineData(true, false, "PUT with If-None-Match")]
    [InlineData(false, true, "DELETE with If-Match")]
    public async Task Start_check_refuses_a_service_that_ignores_conditions(bool ignoresPut, bool ignoresDelete, string request)
    {
        (_server.IgnoresPutConditions, _server.IgnoresDeleteConditions) = (ignoresPut, ignoresDelete);
        using TestBucket bucket = await _server.CreateBucketAsync();
        using S3UploadStore store = bucket.Open();
        InvalidOperationException failure = await Assert.ThrowsAsync<InvalidOperationException>(async () => await store.CheckAsync(Token));
        Assert.Contains(_server.ServiceUrl, failure.Message, StringComparison.Ordinal);
        Assert.Contains(request, failure.Message, StringComparison.Ordinal);
        Assert.Empty(_server.GetKeys(bucket.Name));
    }

    [Fact]
    public async Task Start_check_names_missing_permissions()
    {
        _server.Fault = static request => request.Method == "PUT" ? FakeS3Fault.Denied : FakeS3Fault.None;
        using TestBucket bucket = await _server.CreateBucketAsync();
        using S3UploadStore store = bucket.Open();
        InvalidOperationException failure = await Assert.ThrowsAsync<InvalidOperationException>(async () => await store.CheckAsync(Token));
        Assert.Contains("s3:PutObject", failure.Message, StringComparison.Ordinal);
    }
}
