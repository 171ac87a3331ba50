using System.Buffers;
using System.IO.Pipelines;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Diagnostics;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Engine.Locking;
using ResumableUploads.Engine.Quotas;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Engine;

/// <summary>An engine without a server. Two of them on one store are two processes.</summary>
internal sealed class TestEngine : IAsyncDisposable
{
    private readonly UploadMetrics _metrics = new(null);
    private readonly UploadEngine _engine;
    private readonly ISweepVisitor _visitor;
    private readonly TimeProvider _time;

    public TestEngine(IUploadStore store, TimeProvider time, EngineSettings? settings = null)
    {
        Store = store;
        _time = time;
        _engine = new UploadEngine(store, settings ?? TestSettings.Default, _metrics, new UploadLockTable(time), new OwnerUsageTable(), time, Log.CreateLogger("ResumableUploads"));
        _visitor = _engine.CreateSweepVisitor(Callbacks);
    }

    public static UploadKey Key { get; } = new("owner", "id");

    public TestCallbacks Callbacks { get; } = new();

    public UploadEngine Engine => _engine;

    public IUploadStore Store { get; }

    public LogLines Log { get; } = new();

    /// <summary>Gets or sets whether new uploads are those of an endpoint of the app, which only a request can run.</summary>
    public bool IsEndpoint { get; set; }

    private StoredRequest? Request => IsEndpoint ? new StoredRequest { Method = "POST", Path = "/" } : null;

    private static CreateCommand Creation => new("test", "name", null) { CompletesAtLength = true };

    /// <summary>Returns a request that sends bytes to the upload <see cref="Key"/>, creates it if it is missing, and completes it if its length is reached.</summary>
    public static AppendCommand CreateCommand(long offset, byte[] bytes, long? length) => new()
    {
        Key = Key,
        Offset = offset,
        Body = PipeReader.Create(new ReadOnlySequence<byte>(bytes)),
        BodyLength = bytes.Length,
        UploadLength = length,
        CompletionRule = CompletionRule.AtLength,
        CreateIfMissing = Creation,
    };

    /// <summary>Sends bytes, which complete the upload if its length is reached.</summary>
    public Task<UploadResult> AppendAsync(long offset, byte[] bytes, long length, CancellationToken cancellationToken = default) =>
        AppendAsync(offset, PipeReader.Create(new ReadOnlySequence<byte>(bytes)), bytes.Length, length, cancellationToken);

    public Task<UploadResult> AppendAsync(long offset, PipeReader body, long? bodyLength, long length, CancellationToken cancellationToken = default) =>
        _engine.AppendAsync(
            CreateCommand(offset, [], length) with
            {
                Body = body,
                BodyLength = bodyLength,
                CreateIfMissing = Creation with { Request = Request },
            },
            Callbacks,
            cancellationToken).AsTask();

    /// <summary>Appends to a part, and creates it at offset 0.</summary>
    public Task<UploadResult> AppendToPartAsync(string id, long offset, byte[] bytes, long length) =>
        SendAsync(id, offset, bytes, length, offset > 0 ? null : new ConcatenationInfo("partial", null));

    /// <summary>Creates the upload <see cref="Key"/> as a concatenation.</summary>
    public Task<UploadResult> ConcatenateAsync(params List<string> parts) => ConcatenateToAsync(Key.Id, parts);

    /// <summary>Creates an upload as a concatenation.</summary>
    public Task<UploadResult> ConcatenateToAsync(string id, params List<string> parts) => SendAsync(id, 0, [], null, new ConcatenationInfo("final", parts));

    /// <summary>Completes the upload <see cref="Key"/> as a status request does.</summary>
    public async Task CompleteAsync()
    {
        if (await GetAsync() is { } info)
        {
            var command = new AppendCommand
            {
                Key = Key,
                Offset = info.Offset,
                Body = PipeReader.Create(ReadOnlySequence<byte>.Empty),
                BodyLength = 0,
                CompletionRule = CompletionRule.AtLength,
            };
            await _engine.TryCompleteAsync(info, command, Callbacks, default);
        }
    }

    public Task<UploadResult> CancelAsync() => _engine.CancelAsync(Key, default, default).AsTask();

    /// <summary>Visits the upload as the sweep does.</summary>
    public Task VisitAsync() => VisitAsync(Key.Id);

    /// <summary>Visits an upload as the sweep does.</summary>
    public async Task VisitAsync(string id)
    {
        if (await Store.GetAsync(new UploadKey(Key.Owner, id), default) is { } info)
        {
            await VisitAsync(info);
        }
    }

    /// <summary>Visits the upload as it was listed.</summary>
    public Task VisitAsync(UploadInfo listed) => _visitor.VisitAsync(listed, default).AsTask();

    /// <summary>Makes the early visits that are due.</summary>
    public async Task VisitEarlyAsync()
    {
        var sweeper = new UploadSweeper(Store, _time, Log.CreateLogger("ResumableUploads"));
        sweeper.Add(_visitor);
        await sweeper.VisitEarlyAsync(default);
    }

    /// <summary>Ends a sweep.</summary>
    public void EndSweep() => _visitor.OnSweepCompleted();

    /// <summary>Changes the engine's data of the upload.</summary>
    public async Task ChangeAsync(Func<UploadInfo, UploadRecord> change)
    {
        UploadInfo info = (await GetAsync())!;
        Assert.Equal(ChangeStatus.Succeeded, (await Store.UpdateAsync(Key, info.Version, change(info), default)).Status);
    }

    public ValueTask<UploadInfo?> GetAsync() => Store.GetAsync(Key, default);

    public async Task<HandlerState?> GetHandlerAsync() => EngineRecord.From((await GetAsync())!).Handler;

    public bool HasLogged(int eventId) => Log.Lines.Any(line => line.Contains($"[{eventId}]", StringComparison.Ordinal));

    private Task<UploadResult> SendAsync(string id, long offset, byte[] bytes, long? length, ConcatenationInfo? created) =>
        _engine.AppendAsync(
            CreateCommand(offset, bytes, length) with
            {
                Key = new UploadKey(Key.Owner, id),
                CreateIfMissing = created is null ? null : Creation with { Concatenation = created, Request = Request },
            },
            Callbacks,
            default).AsTask();

    public async ValueTask DisposeAsync()
    {
        await _engine.DisposeAsync();
        _metrics.Dispose();
    }
}
