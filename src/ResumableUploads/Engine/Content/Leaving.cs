using ResumableUploads.Engine.Turns;

namespace ResumableUploads.Engine.Content;

/// <summary>As long as it is not disposed, a content ends when somebody else wants the turn, and when the server stops.</summary>
internal readonly struct Leaving : IDisposable
{
    private readonly Turn _turn;
    private readonly CancellationTokenRegistration _stop;

    public Leaving(GuardedReader reader, Turn turn, CancellationToken stopping)
    {
        _turn = turn;
        _stop = stopping.UnsafeRegister(static reader => ((GuardedReader)reader!).Leave(ContentEnd.Shutdown), reader);
        turn.WhenAskedToLeave(turn.Stays ? null : () => reader.Leave(ContentEnd.TakenOver));
    }

    public void Dispose()
    {
        _turn.WhenAskedToLeave(null);
        _stop.Dispose();
    }
}
