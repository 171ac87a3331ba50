using ResumableUploads.S3;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.S3;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Stores.S3.Fake;

/// <summary>The number of requests to the service, which cost time and money.</summary>
public sealed class RequestCountTests : IAsyncLifetime
{
    private const int Segments = 40;
    private static readonly byte[] File = TestUploads.Bytes(Segments * S3UploadStoreOptions.MinSegmentSize);
    private readonly FakeS3Server _server = new();

    public static TheoryData<string> Protocols => ProtocolClient.Protocols;

    public ValueTask InitializeAsync() => _server.InitializeAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Upload_takes_at_most_a_quarter_more_than_segments_and_10(string protocol)
    {
        using TestBucket bucket = await _server.CreateBucketAsync();
        using S3UploadStore store = bucket.Open(configure: static options => options.SyncSize = 4 * options.SegmentSize);
        await using TestApp app = await TestApp.StartAsync(options =>
        {
            options.Store = store;
            options.OnCompleted = static (_, _) => Task.CompletedTask;
        });
        _server.ClearRequests();
        string url = await app.Client.BeginAsync(protocol, "/upload", [], File.Length);
        using HttpResponseMessage response = await app.Client.FinishAsync(protocol, url, 0, File);
        Assert.True(response.IsSuccessStatusCode);
        string[] requests = [.. _server.Requests.Select(static request => request.ToString())];
        Assert.True(requests.Length <= Segments + (Segments / 4) + 10, $"{requests.Length} requests:\n{string.Join('\n', requests)}");
        TestContext.Current.TestOutputHelper?.WriteLine($"{protocol}: {requests.Length} requests for {Segments} segments");
    }
}
