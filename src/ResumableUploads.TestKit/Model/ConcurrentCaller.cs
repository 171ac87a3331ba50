using System.Runtime.CompilerServices;
using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.TestKit.Model;

/// <summary>One of several concurrent callers on one upload. It uses the offset and version that its last call returned, and records its calls.</summary>
/// <param name="store">The store.</param>
/// <param name="key">The upload.</param>
/// <param name="clock">The counter that all callers share.</param>
/// <param name="token">The token to monitor for cancellation requests.</param>
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
        long invokedAt = NextTimestamp();
        CreateResult result = await store.CreateAsync(key, new UploadRecord(), token);
        Add(invokedAt, $"create: {result.Status} {result.Info?.Version}", now => (result.Status, now) switch
        {
            (CreateStatus.Created, null) => [Observe(result.Info!)],
            (CreateStatus.AlreadyExists, not null) => [now],
            _ => [],
        });
        Remember(result.Info);
    }

    private async Task GetAsync()
    {
        long invokedAt = NextTimestamp();
        UploadInfo? info = await store.GetAsync(key, token);
        ObservedUpload? seen = info is null ? null : Observe(info);
        Add(invokedAt, $"get: {seen}", now => Matches(now, seen) ? [seen] : []);
        Remember(info);
    }

    private async Task AppendAsync()
    {
        long offset = _offset;
        long invokedAt = NextTimestamp();

        // One byte, so that no caller can observe half of an append.
        AppendResult result = await store.AppendAsync(key, offset, RecordingContent.FromBytes([7]), AppendMode.KeepPartial, token);
        Add(invokedAt, $"append at {offset}: {result}", now => result.Status switch
        {
            AppendStatus.Busy => [now],

            // Ended by another call, such as a deletion that has yet to take effect. The byte may have become durable before.
            AppendStatus.TakenOver when now?.Offset == result.Offset => [now],
            AppendStatus.TakenOver => AllowsAppend(now, offset) && result.Offset == offset + 1 ? [now! with { Offset = result.Offset, Version = null }] : [],
            AppendStatus.Appended => AllowsAppend(now, offset) && result.Offset == offset + 1 ? [now! with { Offset = result.Offset, Version = result.Version }] : [],
            AppendStatus.OffsetMismatch => Matches(now, result) && now!.State == UploadState.Receiving && now.Offset != offset ? [now] : [],
            AppendStatus.NotReceiving => Matches(now, result) && now!.State != UploadState.Receiving ? [now] : [],

            // Deleted during the append: another caller may have observed the byte before.
            AppendStatus.NotFound => now is null ? [null] : AllowsAppend(now, offset) ? [now with { Offset = offset + 1, Version = null }] : [],
            _ => [],
        }, isBusy: result.Status is AppendStatus.Busy or AppendStatus.TakenOver);
        if (result.Version is not null)
        {
            _offset = result.Offset;
            _version = result.Version;
        }
    }

    private async Task UpdateAsync(UploadState state)
    {
        string version = _version;
        long invokedAt = NextTimestamp();
        UpdateResult result;
        try
        {
            result = await store.UpdateAsync(key, version, new UploadRecord { State = state }, token);
        }
        catch (ArgumentException)
        {
            // The version was current, but the update would have reverted the state.
            Add(invokedAt, $"update of {version} to {state}: rejected", now => now is not null && IsSameVersion(now.Version, version) && now.State > state ? [now] : []);
            return;
        }

        Add(invokedAt, $"update of {version} to {state}: {result.Status} {result.Info?.Version}", now => result.Status switch
        {
            ChangeStatus.Succeeded => now is not null && IsSameVersion(now.Version, version) && now.Offset == result.Info!.Offset && result.Info.Version != version
                ? [Observe(result.Info)] : [],
            _ => Unchanged(result.Status, version, now),
        }, isBusy: result.Status == ChangeStatus.Busy);
        Remember(result.Info);
    }

    private async Task DeleteAsync(string? version)
    {
        long invokedAt = NextTimestamp();
        DeleteResult result = await store.DeleteAsync(key, version, token);
        Add(invokedAt, $"delete of {version ?? "any version"}: {result.Status}", now => result.Status switch
        {
            ChangeStatus.Succeeded => now is not null && (version is null || IsSameVersion(now.Version, version)) ? [null] : [],
            _ => Unchanged(result.Status, version, now),
        }, isBusy: result.Status == ChangeStatus.Busy);
    }

    private static ObservedUpload?[] Unchanged(ChangeStatus status, string? version, ObservedUpload? now) => status switch
    {
        ChangeStatus.Busy => [now],
        ChangeStatus.NotFound when now is null => [null],
        ChangeStatus.VersionMismatch when now is not null && (now.Version is null || now.Version != version) => [now],
        _ => [],
    };

    private static bool AllowsAppend(ObservedUpload? now, long offset) => now is { State: UploadState.Receiving } && now.Offset == offset;

    private static bool Matches(ObservedUpload? now, AppendResult result) =>
        now is not null && now.Offset == result.Offset && IsSameVersion(now.Version, result.Version);

    private static bool Matches(ObservedUpload? now, ObservedUpload? seen) => now is null || seen is null
        ? now == seen
        : now.Offset == seen.Offset && now.State == seen.State && IsSameVersion(now.Version, seen.Version);

    private static bool IsSameVersion(string? known, string? returned) => known is null || known == returned;

    private static ObservedUpload Observe(UploadInfo info) => new(info.Version, info.Offset, info.State);

    private void Remember(UploadInfo? info)
    {
        if (info is not null)
        {
            _version = info.Version;
            _offset = info.Offset;
        }
    }

    private long NextTimestamp() => Interlocked.Increment(ref clock.Value);

    private void Add(long invokedAt, string description, Func<ObservedUpload?, IEnumerable<ObservedUpload?>> nextStates, bool isBusy = false) =>
        _calls.Add(new ConcurrentCall(invokedAt, NextTimestamp(), description, nextStates, isBusy));
}
