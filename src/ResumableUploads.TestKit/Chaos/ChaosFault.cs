using System.Diagnostics;
using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit;

/// <summary>What goes wrong.</summary>
public sealed class ChaosFault
{
    private readonly Func<TimeProvider, CancellationToken, Task> _come;

    private ChaosFault(Func<TimeProvider, CancellationToken, Task> come) => _come = come;

    /// <summary>After how many bytes of the content the storage fails, and how; else null.</summary>
    internal (long Bytes, StoreFailure Failure)? ShortWrite { get; private init; }

    /// <summary>The call ends in an <see cref="UploadStoreException"/>.</summary>
    /// <param name="failure">The reason in it.</param>
    public static ChaosFault Throw(StoreFailure failure) =>
        new((_, _) => throw new UploadStoreException(failure, "A fault that was planned."));

    /// <summary>The call takes longer.</summary>
    /// <param name="time">By how much, on the clock of the <see cref="ChaosUploadStore"/>.</param>
    public static ChaosFault Delay(TimeSpan time) => new((clock, token) => Task.Delay(time, clock, token));

    /// <summary>The process is killed, as by <c>kill -9</c>.</summary>
    public static ChaosFault Die() => new(static (_, _) =>
    {
        Process.GetCurrentProcess().Kill();
        return Task.CompletedTask;
    });

    /// <summary>
    /// For <see cref="ChaosStep.Append"/>, <see cref="ChaosMoment.Before"/>: the store takes this many bytes of the content, then the call
    /// ends in an <see cref="UploadStoreException"/> that tells the offset which is there. A content with fewer bytes is appended as ever.
    /// </summary>
    /// <param name="bytes">How many bytes are taken.</param>
    /// <param name="failure">The reason in the exception.</param>
    public static ChaosFault WriteShort(long bytes, StoreFailure failure)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        return new ChaosFault(static (_, _) => Task.CompletedTask) { ShortWrite = (bytes, failure) };
    }

    internal Task ComeAsync(TimeProvider clock, CancellationToken cancellationToken) => _come(clock, cancellationToken);
}
