using System.Runtime.CompilerServices;
using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Cases;

namespace ResumableUploads.TestKit.Model;

/// <summary>One of several that call a store about the same upload, each by what it was told last.</summary>
/// <param name="store">The store.</param>
/// <param name="key">The upload.</param>
/// <param name="clock">The counter that all callers share.</param>
/// <param name="token">Ends it.</param>
internal sealed class ConcurrentCaller(IUploadStore store, UploadKey key, StrongBox<long> clock, CancellationToken token)
{
    private readonly List<ConcurrentCall> _calls = [];
    private string _version = "none";
    private long _offset;

    public IReadOnlyList<ConcurrentCall> Calls => _calls;

    public Task CallAsync(int kind) => kind switch
    {
        0 => CreateAsync(),
        1 or 2 or 3 => AppendAsync(),
        4 or 5 => GetAsync(),
        6 => UpdateAsync(UploadState.Receiving),
        7 => UpdateAsync(UploadState.Received),
        8 => DeleteAsync(null),
        _ => DeleteAsync(_version),
    };

    private async Task CreateAsync()
    {
        long called = Tick();
        CreateResult result = await store.CreateAsync(key, new UploadRecord(), token);
        Add(called, $"create: {result.Status} {result.Info?.Version}", now => (result.Status, now) switch
        {
            (CreateStatus.Created, null) => [Seen(result.Info!)],
            (CreateStatus.Taken, not null) => [now],
            _ => [],
        });
        Learn(result.Info);
    }

    private async Task GetAsync()
    {
        long called = Tick();
        UploadInfo? info = await store.GetAsync(key, token);
        SeenUpload? seen = info is null ? null : Seen(info);
        Add(called, $"get: {seen}", now => Fits(now, seen) ? [seen] : []);
        Learn(info);
    }

    private async Task AppendAsync()
    {
        long offset = _offset;
        long called = Tick();

        // One byte, so that nobody can see half of an append.
        AppendResult result = await store.AppendAsync(key, offset, PipeContent.Of([7]), AppendMode.KeepWhatCame, token);
        Add(called, $"append at {offset}: {result}", now => result.Status switch
        {
            AppendStatus.Busy => [now],
            AppendStatus.Appended => CanAppend(now, offset) && result.Offset == offset + 1 ? [now! with { Offset = result.Offset, Version = result.Version }] : [],
            AppendStatus.OffsetMismatch => Fits(now, result) && now!.State == UploadState.Receiving && now.Offset != offset ? [now] : [],
            AppendStatus.NotReceiving => Fits(now, result) && now!.State != UploadState.Receiving ? [now] : [],

            // Deleted while it ran: its byte may have been seen before that.
            AppendStatus.NotFound => now is null ? [null] : CanAppend(now, offset) ? [now with { Offset = offset + 1, Version = null }] : [],
            _ => [],
        }, isBusy: result.Status == AppendStatus.Busy);
        if (result.Status is not (AppendStatus.Busy or AppendStatus.NotFound))
        {
            _offset = result.Offset;
            _version = result.Version!;
        }
    }

    private async Task UpdateAsync(UploadState state)
    {
        string version = _version;
        long called = Tick();
        UpdateResult result;
        try
        {
            result = await store.UpdateAsync(key, version, new UploadRecord { State = state }, token);
        }
        catch (ArgumentException)
        {
            // The version was right, and the state would have gone back.
            Add(called, $"update of {version} to {state}: refused", now => now is not null && IsSame(now.Version, version) && now.State > state ? [now] : []);
            return;
        }

        Add(called, $"update of {version} to {state}: {result.Status} {result.Info?.Version}", now => result.Status switch
        {
            ChangeStatus.Done => now is not null && IsSame(now.Version, version) && now.Offset == result.Info!.Offset && result.Info.Version != version
                ? [Seen(result.Info)] : [],
            _ => Unchanged(result.Status, version, now),
        }, isBusy: result.Status == ChangeStatus.Busy);
        Learn(result.Info);
    }

    private async Task DeleteAsync(string? version)
    {
        long called = Tick();
        DeleteResult result = await store.DeleteAsync(key, version, token);
        Add(called, $"delete of {version ?? "whatever is there"}: {result.Status}", now => result.Status switch
        {
            ChangeStatus.Done => now is not null && (version is null || IsSame(now.Version, version)) ? [null] : [],
            _ => Unchanged(result.Status, version, now),
        }, isBusy: result.Status == ChangeStatus.Busy);
    }

    private static SeenUpload?[] Unchanged(ChangeStatus status, string? version, SeenUpload? now) => status switch
    {
        ChangeStatus.Busy => [now],
        ChangeStatus.NotFound when now is null => [null],
        ChangeStatus.VersionMismatch when now is not null && (now.Version is null || now.Version != version) => [now],
        _ => [],
    };

    private static bool CanAppend(SeenUpload? now, long offset) => now is { State: UploadState.Receiving } && now.Offset == offset;

    private static bool Fits(SeenUpload? now, AppendResult result) =>
        now is not null && now.Offset == result.Offset && IsSame(now.Version, result.Version);

    private static bool Fits(SeenUpload? now, SeenUpload? seen) => now is null || seen is null
        ? now == seen
        : now.Offset == seen.Offset && now.State == seen.State && IsSame(now.Version, seen.Version);

    private static bool IsSame(string? known, string? told) => known is null || known == told;

    private static SeenUpload Seen(UploadInfo info) => new(info.Version, info.Offset, info.State);

    private void Learn(UploadInfo? info)
    {
        if (info is not null)
        {
            _version = info.Version;
            _offset = info.Offset;
        }
    }

    private long Tick() => Interlocked.Increment(ref clock.Value);

    private void Add(long called, string text, Func<SeenUpload?, IEnumerable<SeenUpload?>> effects, bool isBusy = false) =>
        _calls.Add(new ConcurrentCall(called, Tick(), text, effects, isBusy));
}
