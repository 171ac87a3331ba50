using System.Buffers;
using System.IO.Pipelines;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Testing.Stores;

/// <summary>Base class of tests of the file-system store, with a temporary directory.</summary>
public abstract class FileSystemStoreTest : IDisposable
{
    protected static readonly UploadKey Key = new("owner", "upload-1");

    protected FileSystemStoreTest() => Directory.CreateDirectory(Root);

    protected string Root { get; } = Path.Combine(Path.GetTempPath(), "ru-file-" + Guid.NewGuid().ToString("N"));

    /// <summary>Gets a clock that is far behind the system clock, so that tests detect times that the store has not set.</summary>
    protected FakeTimeProvider Time { get; } = new(new DateTimeOffset(2020, 1, 2, 3, 4, 5, TimeSpan.Zero));

    protected string StoreRoot => Path.Combine(Root, "store");

    protected string UploadDirectory => Path.Combine(StoreRoot, "uploads", "owner", "up", "upload-1");

    internal FaultyFiles Files { get; } = new();

    internal LogList Logs { get; } = new();

    /// <summary>The maximum time that a test waits for an expected event.</summary>
    protected static readonly TimeSpan TestTimeout = TimeSpan.FromSeconds(30);

    protected static CancellationToken None => TestContext.Current.CancellationToken;

    public virtual void Dispose()
    {
        Directory.Delete(Root, recursive: true);
        GC.SuppressFinalize(this);
    }

    internal FileSystemUploadStore NewStore(
        Durability durability = Durability.PowerLoss, FileLayer? files = null, string? directory = null, long syncSize = 64 * 1024 * 1024) => new(
            new FileSystemUploadStoreOptions { Directory = directory ?? StoreRoot, Durability = durability, SyncSize = syncSize }, Time, Logs, files ?? Files);

    /// <summary>Returns the directories of unfinished creations.</summary>
    internal static IEnumerable<string> Halves(string root) =>
        Directory.GetDirectories(Path.Combine(root, "temp"), "*", SearchOption.AllDirectories).Where(static path => Path.GetFileName(path).Length > 1);

    protected static byte[] Bytes(int count, int seed = 1)
    {
        byte[] bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    protected static async Task<AppendResult> AppendAsync(IUploadStore store, long offset, byte[] bytes, AppendMode mode = AppendMode.KeepPartial, UploadKey? key = null)
    {
        var content = new FedContent();
        await content.FeedAsync(bytes);
        content.End();
        return await store.AppendAsync(key ?? Key, offset, content, mode, None);
    }

    protected static async Task<UploadInfo> CreateAsync(IUploadStore store, UploadKey? key = null, UploadRecord? record = null)
    {
        CreateResult created = await store.CreateAsync(key ?? Key, record ?? new UploadRecord(), None);
        Assert.Equal(CreateStatus.Created, created.Status);
        return created.Info!;
    }

    protected static async Task<UploadInfo> GetAsync(IUploadStore store)
    {
        UploadInfo? info = await store.GetAsync(Key, None);
        Assert.NotNull(info);
        return info;
    }

    protected static async Task<UploadInfo> ReceiveAsync(IUploadStore store, byte[] bytes)
    {
        await CreateAsync(store);
        await AppendAsync(store, 0, bytes);
        UploadInfo info = await GetAsync(store);
        UpdateResult updated = await store.UpdateAsync(Key, info.Version, info.Record with { State = UploadState.Received }, None);
        Assert.Equal(ChangeStatus.Succeeded, updated.Status);
        return updated.Info!;
    }

    protected static async Task<byte[]> ReadAsync(IUploadStore store)
    {
        await using Stream? stream = await store.OpenReadAsync(Key, None);
        Assert.NotNull(stream);
        var copy = new MemoryStream();
        await stream.CopyToAsync(copy, None);
        return copy.ToArray();
    }

    protected string TheFile(string ending) => Directory.EnumerateFiles(UploadDirectory, "*" + ending).Single();
}

internal static class StoreMoveExtensions
{
    /// <summary>Moves the content of the upload of <see cref="FileSystemStoreTest"/> in its current version.</summary>
    public static async ValueTask<MoveResult> MoveAsync(this FileSystemUploadStore store, string path, bool overwrite, CancellationToken cancellationToken)
    {
        var key = new UploadKey("owner", "upload-1");
        return await store.MoveContentAsync(key, (await store.GetAsync(key, cancellationToken))?.Version ?? "none", path, overwrite, cancellationToken);
    }
}

/// <summary>Upload content that the test writes, and which records the reported offsets.</summary>
internal sealed class FedContent : UploadContent
{
    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));

    public override PipeReader Reader => _pipe.Reader;

    public override long? ExpectedLength => Announced;

    public long? Announced { get; init; }

    public List<long> Reported { get; } = [];

    public TaskCompletionSource FirstReported { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Func<CancellationToken, ValueTask<bool>> Decide { get; init; } = _ => ValueTask.FromResult(true);

    public async Task FeedAsync(byte[] bytes) => await _pipe.Writer.WriteAsync(bytes);

    public void End() => _pipe.Writer.Complete();

    public override void ReportDurable(long durableOffset)
    {
        Reported.Add(durableOffset);
        FirstReported.TrySetResult();
    }

    public override ValueTask<bool> ShouldCommitAsync(CancellationToken cancellationToken) => Decide(cancellationToken);
}

/// <summary>Simulates the end of the process: the store's error handling must not run either.</summary>
internal sealed class ProcessDied : Exception;

/// <summary>The real file system, in which a test can make a step fail or the process die.</summary>
internal class FaultyFiles : DelegatingFileLayer
{
    private bool _dead;

    public string? Boot { get; set; }

    public override string BootId => Boot ?? base.BootId;

    /// <summary>Gets or sets a callback that runs before each step, with its name and path. It throws to make the step fail.</summary>
    public Action<string, string>? Before { get; set; }

    /// <summary>Gets or sets a callback that runs after each step, with its name and path.</summary>
    public Action<string, string>? After { get; set; }

    public static IOException Error(int number) => new("injected", number);

    public override void Write(OpenFile file, ReadOnlySequence<byte> content, long offset) =>
        Step("write", file.Path, () => base.Write(file, content, offset));

    /// <summary>Gets or sets a callback for hints to the operating system, with the kind of hint, offset and length.</summary>
    public Action<string, long, long>? Hinted { get; set; }

    public override void Preallocate(OpenFile file, long offset, long length)
    {
        Hinted?.Invoke("allocate", offset, length);
        base.Preallocate(file, offset, length);
    }

    public override void StartWriteback(OpenFile file, long offset, long length)
    {
        Hinted?.Invoke("start-writing", offset, length);
        base.StartWriteback(file, offset, length);
    }

    public override void Sync(OpenFile file) => Step("sync", file.Path, () => base.Sync(file));

    public override void Truncate(OpenFile file, long length) => Step("truncate", file.Path, () => base.Truncate(file, length));

    public override void SyncDirectory(string path) => Step("sync-directory", path, () => base.SyncDirectory(path));

    public override void DeleteFile(string path) => Step("delete", path, () => base.DeleteFile(path));

    public override void RenameFile(string from, string to) => Step("rename", to, () => base.RenameFile(from, to));

    public override FileStat? Stat(string path)
    {
        FileStat? result = null;
        Step("stat", path, () => result = base.Stat(path));
        return result;
    }

    public override void CreateDirectory(string path) => Step("create-directory", path, () => base.CreateDirectory(path));

    public override bool TryCreateDirectory(string path)
    {
        bool done = false;
        Step("create-directory", path, () => done = base.TryCreateDirectory(path));
        return done;
    }

    public override void DeleteDirectory(string path, bool recursive) =>
        Step("delete-directory", path, () => base.DeleteDirectory(path, recursive));

    public override OpenFile CreateFile(string path)
    {
        OpenFile? file = null;
        Step("create", path, () => file = base.CreateFile(path));
        return file!;
    }

    public override bool RenameFileNoReplace(string from, string to)
    {
        bool done = false;
        Step("rename-no-replace", to, () => done = base.RenameFileNoReplace(from, to));
        return done;
    }

    public override bool RenameDirectory(string from, string to)
    {
        bool done = false;
        Step("rename-directory", to, () => done = base.RenameDirectory(from, to));
        return done;
    }

    public override ReplacedFile? ReplaceFile(in FileReplacement replacement, ReadOnlySpan<byte> content)
    {
        FileReplacement copy = replacement;
        byte[] bytes = content.ToArray();
        ReplacedFile? replaced = null;
        Step("replace", copy.Path, () => replaced = base.ReplaceFile(copy, bytes));
        return replaced;
    }

    private void Step(string name, string path, Action action)
    {
        try
        {
            if (_dead)
            {
                throw new ProcessDied();
            }

            Before?.Invoke(name, path);
            action();
            After?.Invoke(name, path);
        }
        catch (ProcessDied)
        {
            _dead = true;
            throw;
        }
    }
}

/// <summary>Collects log messages.</summary>
internal sealed class LogList : ILogger
{
    private readonly List<(LogLevel Level, int Id, string Text)> _lines = [];

    public IReadOnlyList<(LogLevel Level, int Id, string Text)> Lines
    {
        get
        {
            lock (_lines)
            {
                return [.. _lines];
            }
        }
    }

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lines)
        {
            _lines.Add((logLevel, eventId.Id, formatter(state, exception)));
        }
    }
}
