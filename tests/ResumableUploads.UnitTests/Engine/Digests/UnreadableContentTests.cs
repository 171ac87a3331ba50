using System.Security.Cryptography;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using static ResumableUploads.Testing.ProblemExpectations;

namespace ResumableUploads.UnitTests.Engine.Digests;

/// <summary>A read of stored content that fails, or that the store cancels by itself, is a failure of the storage.</summary>
public class UnreadableContentTests
{
    private static readonly (string, string) Partial = ("Upload-Concat", "partial");
    private static readonly byte[] File = [1, 2, 3];
    private static readonly (string, string) FileDigest = ("Repr-Digest", $"sha-256=:{Convert.ToBase64String(SHA256.HashData(File))}:");
    private readonly FailingContentStore _store = new();

    public static TheoryData<bool> IsCancellation => [false, true];

    [Theory]
    [MemberData(nameof(IsCancellation))]
    public async Task Digest_that_cannot_be_computed_returns_503_with_the_offset(bool isCancellation)
    {
        await using TusApp app = await StartAsync();
        string url = await app.Client.CreateAsync(TusApp.Url, 3, FileDigest);
        _store.Fail(isCancellation);
        using (HttpResponseMessage response = await app.Client.AppendChunkAsync(url, 0, File))
        {
            Assert.Equal((503, "3"), ((int)response.StatusCode, response.Header("Upload-Offset")));
        }

        _store.Failure = null;
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 3, []).StatusOfAsync());
        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(IsCancellation))]
    public async Task Part_is_received_although_the_digest_of_its_concatenation_fails(bool isCancellation)
    {
        await using TusApp app = await StartAsync();
        string part = await app.Client.CreateAsync(TusApp.Url, 3, Partial);
        using HttpResponseMessage final = await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Concat", $"final;{part}"), FileDigest);
        string url = final.Header("Location")!;
        _store.Fail(isCancellation);
        Assert.Equal(204, await app.Client.AppendChunkAsync(part, 0, File).StatusOfAsync());
        Assert.Equal(423, await app.Client.TusAsync("HEAD", url).StatusOfAsync());

        _store.Failure = null;
        Assert.Equal(200, await app.Client.TusAsync("HEAD", url).StatusOfAsync());
        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(IsCancellation))]
    public async Task Comparison_with_a_finished_upload_that_cannot_be_read_returns_503(bool isCancellation)
    {
        await using TestApp app = await TestApp.StartAsync(options => options.Store = _store, onTestHost: true);
        await app.Client.AppendAsync("f", 0, File, 3).ShouldHaveOffsetAsync(3, complete: true);
        _store.Fail(isCancellation);
        await app.Client.AppendAsync("f", 3, [], 3, FileDigest).ShouldBeProblemAsync(503, Own + "storage-failed", 3);
    }

    private Task<TusApp> StartAsync() => TusApp.StartAsync(TusApp.ReadyMade, options => options.Store = _store);

    private sealed class FailingContentStore() : DelegatingUploadStore(new MemoryUploadStore())
    {
        public Exception? Failure { get; set; }

        public void Fail(bool isCancellation) => Failure = isCancellation ? new TaskCanceledException("A request timed out.") : new IOException("I/O error");

        public override async ValueTask<Stream?> OpenReadAsync(UploadKey key, CancellationToken cancellationToken) =>
            await base.OpenReadAsync(key, cancellationToken) is { } content ? new FailingStream(content, this) : null;

        public override IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, CancellationToken cancellationToken) =>
            query.Owner is null ? AsyncEnumerable.Empty<UploadInfo>() : base.ListAsync(query, cancellationToken);
    }

    private sealed class FailingStream(Stream content, FailingContentStore store) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => true;

        public override bool CanWrite => false;

        public override long Length => content.Length;

        public override long Position
        {
            get => content.Position;
            set => content.Position = value;
        }

        public override int Read(byte[] buffer, int offset, int count) => store.Failure is { } failure ? throw failure : content.Read(buffer, offset, count);

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Yield();
            return store.Failure is { } failure ? throw failure : await content.ReadAsync(buffer, cancellationToken);
        }

        public override long Seek(long offset, SeekOrigin origin) => content.Seek(offset, origin);

        public override void Flush()
        {
        }

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
