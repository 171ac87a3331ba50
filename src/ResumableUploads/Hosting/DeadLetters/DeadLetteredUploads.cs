using System.Runtime.CompilerServices;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Hosting.Startup;

namespace ResumableUploads.Hosting.DeadLetters;

/// <summary>The dead-lettered uploads of all engines of the application.</summary>
internal sealed class DeadLetteredUploads(SharedUploadServices sharedServices) : IDeadLetteredUploads
{
    public async IAsyncEnumerable<UploadInfo> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (UploadEngine engine in sharedServices.Engines)
        {
            await foreach (UploadInfo info in engine.ListDeadLetteredAsync(cancellationToken))
            {
                yield return info;
            }
        }
    }

    public async Task<bool> RetryAsync(UploadKey key, CancellationToken cancellationToken)
    {
        foreach (UploadEngine engine in sharedServices.Engines)
        {
            if (await engine.RetryHandlerAsync(key, cancellationToken))
            {
                return true;
            }
        }

        return false;
    }
}
