using ResumableUploads.Abstractions;
using ResumableUploads.S3;
using ResumableUploads.TestKit.Support;
using ResumableUploads.Testing.S3;

namespace ResumableUploads.FunctionalTests.Stores.S3.Fake;

/// <summary>The memory of many appends at once. All of them hold bytes, and the service does not answer.</summary>
[Collection<Alone>]
public sealed class MemoryTests : IAsyncLifetime
{
    private const int Uploads = 100;
    private const int Budget = 16 << 20;
    private const int UploadLength = 2 << 20;
    private readonly FakeS3Server _server = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => _server.InitializeAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Hundred_appends_share_one_byte_budget_and_all_complete()
    {
        byte[] bytes = TestUploads.Bytes(UploadLength);
        using TestBucket bucket = await _server.CreateBucketAsync();
        using S3UploadStore store = bucket.Open(configure: static options => (options.MaxBufferedBytes, options.SegmentSize) = (Budget, 1 << 20));
        UploadKey[] keys = [.. Enumerable.Range(0, Uploads).Select(static i => new UploadKey("owner", $"upload-{i}"))];
        foreach (UploadKey key in keys)
        {
            await store.CreateAsync(key);
        }

        long waiting = 0;
        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _server.DropsContent = true;
        _server.BeforeAsync = async request =>
        {
            if (request.IsData)
            {
                Interlocked.Add(ref waiting, request.Headers.ContentLength ?? 0);
                await answered.Task;
            }
        };
        long before = GC.GetTotalMemory(forceFullCollection: true);
        Task<AppendResult>[] appends = [.. keys.Select(key => Task.Run(() => store.AppendAsync(
            key, 0, new SharedContent(bytes), AppendMode.KeepPartial, Token).AsTask(), Token))];
        await Testing.Eventually.TrueAsync(() => Interlocked.Read(ref waiting) > Budget * 3 / 4, "the budget is used up");
        long during = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.InRange(Interlocked.Read(ref waiting), 0, Budget);
        Assert.InRange(during, long.MinValue, Budget + (100 << 20));
        TestContext.Current.TestOutputHelper?.WriteLine($"{during >> 20} MiB for {Uploads} appends with a budget of {Budget >> 20} MiB");
        _server.DropsContent = false;
        answered.SetResult();
        Assert.All(await Task.WhenAll(appends), static result => Assert.Equal((AppendStatus.Appended, (long)UploadLength), (result.Status, result.Offset)));
    }

    /// <summary>Content in memory that all appends share, so that only the memory of the store counts.</summary>
    private sealed class SharedContent(byte[] bytes) : UploadContent
    {
        public override System.IO.Pipelines.PipeReader Reader { get; } = System.IO.Pipelines.PipeReader.Create(new System.Buffers.ReadOnlySequence<byte>(bytes));

        public override void ReportDurable(long durableOffset)
        {
        }

        public override ValueTask<bool> ShouldCommitAsync(CancellationToken cancellationToken) => ValueTask.FromResult(true);
    }
}
