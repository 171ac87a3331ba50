using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Engine.Appending;

/// <summary>A request that starts an upload over replaces the stored content only after the request was accepted.</summary>
public sealed class StartOverTests : IDisposable
{
    private const string FileSystem = "file system";
    private const string Memory = "memory";
    private const string Custom = "custom";

    private static readonly byte[] Old = RandomNumberGenerator.GetBytes(1000);
    private static readonly byte[] New = RandomNumberGenerator.GetBytes(300);

    private readonly string _directory = Directory.CreateTempSubdirectory("resumable-uploads-start-over-").FullName;
    private IUploadStore _store = null!;

    public static TheoryData<string, bool> StoresAndStates
    {
        get
        {
            var data = new TheoryData<string, bool>();
            foreach (string store in (string[])[FileSystem, Memory, Custom])
            {
                data.Add(store, false);
                data.Add(store, true);
            }

            return data;
        }
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory, MemberData(nameof(StoresAndStates))]
    public async Task Rejection_by_OnCreating_keeps_the_old_content(string store, bool isCompleted)
    {
        bool rejects = false;
        await using TestApp app = await StartAsync(store, options => options.OnCreating = (upload, _) =>
        {
            if (rejects)
            {
                upload.Reject(StatusCodes.Status403Forbidden, "No.");
            }

            return Task.CompletedTask;
        });
        await PutOldAsync(app, isCompleted);
        rejects = true;
        await ShouldFailAsync(403, app.Client.AppendAsync("f", 0, New, 300));
        await ShouldHaveOldContentAsync(isCompleted);
    }

    [Theory, MemberData(nameof(StoresAndStates))]
    public async Task Exceeded_quota_keeps_the_old_content(string store, bool isCompleted)
    {
        await using TestApp app = await StartAsync(store, static options => options.Limits.MaxBytesPerOwner = 5000);
        await PutOldAsync(app, isCompleted);
        await ShouldFailAsync(413, app.Client.AppendAsync("f", 0, New, 5001));
        await ShouldHaveOldContentAsync(isCompleted);
    }

    [Theory]
    [InlineData(FileSystem, false)]
    [InlineData(FileSystem, true)]
    [InlineData(Memory, false)]
    [InlineData(Memory, true)]
    public async Task Exceeded_limit_in_a_body_of_unknown_length_keeps_the_old_content(string store, bool isCompleted)
    {
        await using TestApp app = await StartAsync(store, static options => options.MaxUploadSize = 1500);
        await PutOldAsync(app, isCompleted);
        await ShouldFailAsync(413, app.Client.AppendAsync("f", 0, ProblemExpectations.Chunked(new byte[1501])));
        await ShouldHaveOldContentAsync(isCompleted);
    }

    [Theory]
    [InlineData(FileSystem, false)]
    [InlineData(FileSystem, true)]
    [InlineData(Memory, false)]
    [InlineData(Memory, true)]
    public async Task Exceeded_quota_in_a_body_of_unknown_length_keeps_the_old_content(string store, bool isCompleted)
    {
        await using TestApp app = await StartAsync(store, static options => options.Limits.MaxBytesPerOwner = 2000);
        await PutOldAsync(app, isCompleted);
        await ShouldFailAsync(413, app.Client.AppendAsync("f", 0, ProblemExpectations.Chunked(new byte[2001])));
        await ShouldHaveOldContentAsync(isCompleted);
    }

    [Theory]
    [InlineData(FileSystem, false)]
    [InlineData(FileSystem, true)]
    [InlineData(Memory, false)]
    [InlineData(Memory, true)]
    public async Task Body_of_unknown_length_may_use_the_quota_of_the_old_content(string store, bool isCompleted)
    {
        await using TestApp app = await StartAsync(store, static options => options.Limits.MaxBytesPerOwner = 2000);
        await PutOldAsync(app, isCompleted);
        await app.Client.AppendAsync("f", 0, ProblemExpectations.Chunked(new byte[2000]), 2000).ShouldHaveOffsetAsync(2000, complete: true);
        Assert.Equal(2000, Assert.Single(await ListAsync()).Offset);
    }

    [Theory, MemberData(nameof(StoresAndStates))]
    public async Task Too_many_appends_keep_the_old_content(string store, bool isCompleted)
    {
        await using TestApp app = await StartAsync(store, static options => options.Limits.MaxAppendsPerOwner = 1);
        await PutOldAsync(app, isCompleted);
        var body = new BlockedContent(new byte[1], new byte[1]);
        Task<HttpResponseMessage> other = app.Client.AppendAsync("g", 0, body, 10);
        await Eventually.TrueAsync(async () => (await ListAsync()).Count == 2, "the other upload was created");
        await ShouldFailAsync(429, app.Client.AppendAsync("f", 0, New, 300));
        await ShouldHaveOldContentAsync(isCompleted);
        body.Release();
        (await other).Dispose();
    }

    [Theory, MemberData(nameof(StoresAndStates))]
    public async Task Wrong_digest_keeps_the_old_content(string store, bool isCompleted)
    {
        await using TestApp app = await StartAsync(store);
        await PutOldAsync(app, isCompleted);
        string wrong = $"sha-256=:{Convert.ToBase64String(SHA256.HashData(Old))}:";
        foreach (string header in (string[])["Content-Digest", "Repr-Digest"])
        {
            // A custom store cannot keep both contents until the digest is verified, so the request is rejected before its body is read.
            await ShouldFailAsync(store == Custom ? 413 : 400, app.Client.AppendAsync("f", 0, New, 300, (header, wrong)));
            await ShouldHaveOldContentAsync(isCompleted);
        }
    }

    [Theory, MemberData(nameof(StoresAndStates))]
    public async Task Body_that_never_arrives_keeps_the_old_content(string store, bool isCompleted)
    {
        int creations = 0;
        await using TestApp app = await StartAsync(store, options => options.OnCreating = (_, _) => Task.FromResult(Interlocked.Increment(ref creations)), onTestHost: false);
        await PutOldAsync(app, isCompleted);
        await using (RawConnection connection = await RawConnection.OpenAsync(app.Address))
        {
            await connection.SendAsync(
                $"POST /upload HTTP/1.1\r\nHost: {app.Address.Authority}\r\nX-File-Id: f\r\nX-Start-Byte: 0\r\nX-File-Size: 300\r\nContent-Length: 300\r\n\r\n");
            await Eventually.TrueAsync(() => creations == 2, "the second request has passed OnCreating");
        }

        // Waits for the lock of the other request.
        await app.Client.StatusAsync("f");
        await ShouldHaveOldContentAsync(isCompleted);
    }

    [Theory, MemberData(nameof(StoresAndStates))]
    public async Task Store_that_cannot_create_keeps_the_old_content(string store, bool isCompleted)
    {
        bool fails = false;
        await using TestApp app = await StartAsync(store, wrap: inner => new FailingCreationStore(inner, () => fails));
        await PutOldAsync(app, isCompleted);
        fails = true;
        await ShouldFailAsync(507, app.Client.AppendAsync("f", 0, New, 300));
        await ShouldHaveOldContentAsync(isCompleted);
    }

    [Theory, MemberData(nameof(StoresAndStates))]
    public async Task Empty_body_of_unknown_length_keeps_the_old_content(string store, bool isCompleted)
    {
        await using TestApp app = await StartAsync(store);
        await PutOldAsync(app, isCompleted);
        (await app.Client.AppendAsync("f", 0, ProblemExpectations.Chunked([]))).Dispose();
        await ShouldHaveOldContentAsync(isCompleted);
    }

    [Theory, MemberData(nameof(StoresAndStates))]
    public async Task Accepted_request_replaces_the_old_content(string store, bool isCompleted)
    {
        await using TestApp app = await StartAsync(store, static options =>
        {
            options.Limits.MaxUploadsPerOwner = 1;
            options.Limits.MaxBytesPerOwner = 1600;
        });
        await PutOldAsync(app, isCompleted);
        await app.Client.AppendAsync("f", 0, New[..100], 300).ShouldHaveOffsetAsync(100);
        await app.Client.AppendAsync("f", 100, New[100..], 300).ShouldHaveOffsetAsync(300, complete: true);
        Assert.Equal(New, app.Finished[^1].Content);
        Assert.Single(await ListAsync());
    }

    [Theory]
    [InlineData(FileSystem, "Content-Digest")]
    [InlineData(FileSystem, "Repr-Digest")]
    [InlineData(Memory, "Content-Digest")]
    [InlineData(Memory, "Repr-Digest")]
    public async Task Matching_digest_replaces_the_old_content(string store, string header)
    {
        await using TestApp app = await StartAsync(store);
        await PutOldAsync(app, isCompleted: true);
        string digest = $"sha-256=:{Convert.ToBase64String(SHA256.HashData(New))}:";
        await app.Client.AppendAsync("f", 0, New, 300, (header, digest)).ShouldHaveOffsetAsync(300, complete: true);
        Assert.Equal(New, app.Finished[^1].Content);
        Assert.Single(await ListAsync());
    }

    [Theory]
    [InlineData(FileSystem)]
    [InlineData(Memory)]
    [InlineData(Custom)]
    public async Task Body_of_unknown_length_replaces_the_old_content(string store)
    {
        await using TestApp app = await StartAsync(store);
        await PutOldAsync(app, isCompleted: false);
        await app.Client.AppendAsync("f", 0, ProblemExpectations.Chunked(New), 400).ShouldHaveOffsetAsync(300);
        Assert.Equal(300, await app.Client.StatusAsync("f"));
        Assert.Single(await ListAsync());
    }

    private static async Task PutOldAsync(TestApp app, bool isCompleted) =>
        await app.Client.AppendAsync("f", 0, Old, isCompleted ? 1000 : 1500).ShouldHaveOffsetAsync(1000, isCompleted);

    private static async Task ShouldFailAsync(int status, Task<HttpResponseMessage> sending)
    {
        using HttpResponseMessage response = await sending;
        Assert.Equal(status, (int)response.StatusCode);
    }

    private async Task ShouldHaveOldContentAsync(bool isCompleted)
    {
        UploadInfo info = Assert.Single(await ListAsync(), static info => info.Length != 10);
        Assert.Equal((isCompleted ? UploadState.Completed : UploadState.Receiving, 1000), (info.State, info.Offset));
        await using Stream content = (await _store.OpenReadAsync(info.Key, Token))!;
        byte[] bytes = new byte[1000];
        await content.ReadExactlyAsync(bytes, Token);
        Assert.Equal(Old, bytes);
    }

    private async Task<List<UploadInfo>> ListAsync() => await _store.ListAsync(new UploadQuery(), Token).ToListAsync(Token);

    private Task<TestApp> StartAsync(
        string store, Action<ResumableUploadOptions>? configure = null, Func<IUploadStore, IUploadStore>? wrap = null, bool onTestHost = true)
    {
        _store = store == FileSystem
            ? new FileSystemUploadStore(new FileSystemUploadStoreOptions { Directory = _directory })
            : new MemoryUploadStore();
        _store = wrap?.Invoke(_store) ?? _store;
        _store = store == Custom ? new CustomStore(_store) : _store;
        return TestApp.StartAsync(
            options =>
            {
                options.Store = _store;
                options.FileId.RestartOnZero = true;
                configure?.Invoke(options);
            },
            onTestHost: onTestHost);
    }

    /// <summary>A store that supports staged appends, but cannot replace uploads.</summary>
    private sealed class CustomStore(IUploadStore inner) : DelegatingUploadStore(inner);

    private sealed class FailingCreationStore(IUploadStore inner, Func<bool> fails) : DelegatingUploadStore(inner)
    {
        public override ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken) =>
            fails() ? throw new UploadStoreException(StoreFailure.Full, "Injected failure.") : base.CreateAsync(key, record, cancellationToken);
    }
}
