using ResumableUploads.Abstractions;

namespace ResumableUploads.CrashHost;

/// <summary>A decorator that can kill the process before and after each step from the last byte to the stored response.</summary>
internal sealed class CrashingUploadStore(IUploadStore innerStore) : DelegatingUploadStore(innerStore)
{
    public override async ValueTask<AppendResult> AppendAsync(UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken)
    {
        AppendResult result = await base.AppendAsync(key, offset, content, mode, cancellationToken);
        if (result.Status == AppendStatus.Appended && await InnerStore.GetAsync(key, cancellationToken) is { } now && now.Length == now.Offset)
        {
            CrashPlan.CrashIfRequested("after-last-append");
        }

        return result;
    }

    public override async ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken)
    {
        string step = record.State.ToString().ToLowerInvariant();
        CrashPlan.CrashIfRequested($"before-{step}");
        UpdateResult result = await InnerStore.UpdateAsync(key, version, record, cancellationToken);
        if (result.Status == ChangeStatus.Succeeded)
        {
            CrashPlan.CrashIfRequested($"after-{step}");
        }

        return result;
    }

    public override async ValueTask<UpdateResult> CompleteAsync(
        UploadKey key, string version, UploadRecord record, ReadOnlyMemory<byte> response, CancellationToken cancellationToken)
    {
        CrashPlan.CrashIfRequested("before-completed");
        UpdateResult result = await InnerStore.CompleteAsync(key, version, record, response, cancellationToken);
        if (result.Status == ChangeStatus.Succeeded)
        {
            CrashPlan.CrashIfRequested("after-completed");
        }

        return result;
    }
}
