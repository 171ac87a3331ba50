using System.Runtime.InteropServices;

namespace ResumableUploads.Cli.Running;

/// <summary>Turns the first Ctrl-C or SIGTERM into a pause. The second one ends the process at once.</summary>
internal sealed class Interrupts : IDisposable
{
    private const int SignalBase = 128;
    private const string ShowCursor = "\e[?25h";
    private readonly CancellationTokenSource _pause = new();
    private readonly PosixSignalRegistration[] _registrations;
    private int _count;

    public Interrupts()
    {
        _registrations = [.. new[] { (PosixSignal.SIGINT, 2), (PosixSignal.SIGTERM, 15), (PosixSignal.SIGHUP, 1) }
            .Select(signal => PosixSignalRegistration.Create(signal.Item1, context => Handle(context, signal.Item2)))];
    }

    /// <summary>Gets a token that is canceled by the first signal.</summary>
    public CancellationToken Pause => _pause.Token;

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }

        _pause.Dispose();
    }

    private void Handle(PosixSignalContext context, int number)
    {
        context.Cancel = true;
        if (Interlocked.Increment(ref _count) == 1)
        {
            // Callbacks of the token run requests to their end, for which the signal handler does not wait.
            _ = Task.Run(_pause.Cancel);
            return;
        }

        if (!Console.IsOutputRedirected)
        {
            Console.Write(ShowCursor);
        }

        Environment.Exit(SignalBase + number);
    }
}
