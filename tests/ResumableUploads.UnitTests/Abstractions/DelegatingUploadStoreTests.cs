using System.Buffers;
using System.Net;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.TestKit.Support;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Abstractions;

public sealed class DelegatingUploadStoreTests : IDisposable
{
    private static readonly UploadKey Key = new("owner", "upload");

    private readonly string _directory = Directory.CreateTempSubdirectory("resumable-uploads-delegating-").FullName;
    private readonly IUploadStore _inner;

    public DelegatingUploadStoreTests() => _inner = new FileSystemUploadStore(new FileSystemUploadStoreOptions { Directory = _directory });

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Constructor_without_inner_store_throws() => Assert.Throws<ArgumentNullException>(() => new PlainStore(null!));

    [Fact]
    public async Task Every_call_is_forwarded_to_the_inner_store()
    {
        var store = new PlainStore(_inner);
        Assert.Equal(CreateStatus.Created, (await store.CreateAsync(Key, new UploadRecord(), Token)).Status);
        Assert.Equal(3, (await store.AppendAsync(Key, 0, RecordingContent.FromBytes([1, 2, 3]), AppendMode.KeepPartial, Token)).Offset);
        UploadInfo info = (await store.GetAsync(Key, Token))!;
        Assert.Equal(ChangeStatus.Succeeded, (await store.UpdateAsync(Key, info.Version, info.Record with { State = UploadState.Received }, Token)).Status);

        Assert.Equal(UploadState.Received, (await _inner.GetAsync(Key, Token))!.State);
        await store.CompleteAsync(Key, [9]);
        Assert.Equal(UploadState.Completed, (await _inner.GetAsync(Key, Token))!.State);
        Assert.Equal([9], (await store.GetResponseAsync(Key, Token))!.Value.ToArray());
        Assert.Equal(Key, (await store.ListAsync(new UploadQuery(), Token).SingleAsync(Token)).Key);
        await using (Stream content = (await store.OpenReadAsync(Key, Token))!)
        {
            Assert.Equal(3, content.Length);
        }

        Assert.Equal(ChangeStatus.Succeeded, (await store.DeleteAsync(Key, null, Token)).Status);
        Assert.Null(await _inner.GetAsync(Key, Token));
    }

    [Fact]
    public void Capabilities_without_content_are_forwarded()
    {
        var store = new PlainStore(_inner);
        Assert.Same(_inner, store.GetCapability<IStagedAppendStore>());
        Assert.Same(_inner, store.GetCapability<IStoreStartupCheck>());
        Assert.Same(_inner, store.GetCapability<ISelfCleaningStore>());
        Assert.Same(_inner, store.GetCapability<ISweepCheckpointStore>());
    }

    [Fact]
    public void Capabilities_that_bypass_the_decorator_are_hidden_by_default()
    {
        Assert.NotNull(_inner.GetCapability<ISingleRequestStore>());
        Assert.NotNull(_inner.GetCapability<IContentMover>());
        Assert.NotNull(_inner.GetCapability<IReplacingStore>());
        Assert.NotNull(_inner.GetCapability<IDeferredSyncStore>());

        var store = new PlainStore(_inner);
        Assert.Null(store.GetCapability<ISingleRequestStore>());
        Assert.Null(store.GetCapability<IContentMover>());
        Assert.Null(store.GetCapability<IReplacingStore>());
        Assert.Null(store.GetCapability<IDeferredSyncStore>());
        Assert.Null(new PlainStore(store).GetCapability<ISingleRequestStore>());
    }

    [Fact]
    public void Capabilities_of_the_decorator_replace_those_of_the_inner_store()
    {
        var store = new CapableStore(_inner);
        Assert.Same(store, store.GetCapability<ISelfCleaningStore>());
        Assert.Same(store, store.GetCapability<ISingleRequestStore>());
        Assert.Same(store, new ForwardingStore(store).GetCapability<ISingleRequestStore>());
    }

    [Fact]
    public async Task Upload_in_a_single_request_is_created_and_appended_through_the_decorator()
    {
        var store = new AppendRecordingStore(_inner);
        await using TestApp app = await TestApp.StartAsync(options => options.Store = store, onTestHost: true);
        using HttpResponseMessage response = await app.Client.AppendAsync("file.txt", 0, "abc"u8.ToArray(), 3);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("abc"u8.ToArray(), Assert.Single(app.Finished).Content);
        Assert.Equal([CreateStatus.Created.ToString(), AppendStatus.Appended.ToString()], store.Results);
    }

    private sealed class AppendRecordingStore(IUploadStore innerStore) : DelegatingUploadStore(innerStore)
    {
        public List<string> Results { get; } = [];

        public override async ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken)
        {
            CreateResult result = await base.CreateAsync(key, record, cancellationToken);
            Results.Add(result.Status.ToString());
            return result;
        }

        public override async ValueTask<AppendResult> AppendAsync(
            UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken)
        {
            AppendResult result = await base.AppendAsync(key, offset, content, mode, cancellationToken);
            Results.Add(result.Status.ToString());
            return result;
        }
    }

    private sealed class PlainStore(IUploadStore innerStore) : DelegatingUploadStore(innerStore);

    private sealed class ForwardingStore(IUploadStore innerStore) : DelegatingUploadStore(innerStore)
    {
        public override T? GetCapability<T>() where T : class => InnerStore.GetCapability<T>();
    }

    private sealed class CapableStore(IUploadStore innerStore) : DelegatingUploadStore(innerStore), ISelfCleaningStore, ISingleRequestStore
    {
        public long MaxCompletedLength => 10;

        public ValueTask CleanUpAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask<CreateResult> CreateCompletedAsync(
            UploadKey key, UploadRecord record, ReadOnlySequence<byte> content, CancellationToken cancellationToken) =>
            InnerStore.GetCapability<ISingleRequestStore>()!.CreateCompletedAsync(key, record, content, cancellationToken);
    }
}
