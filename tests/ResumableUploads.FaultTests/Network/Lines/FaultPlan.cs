namespace ResumableUploads.FaultTests.Network.Lines;

/// <summary>What goes wrong on a connection, once.</summary>
internal enum Fault
{
    None,

    /// <summary>The server is told that nothing more comes; what the client still sends is lost.</summary>
    FinToServer,

    /// <summary>The client is told that nothing more comes; what it sends still arrives, and the answer is lost.</summary>
    FinToClient,

    /// <summary>Both are reset.</summary>
    Reset,

    /// <summary>The client is dropped, and for the server the line is only silent, for a while.</summary>
    HalfOpen,

    /// <summary>One direction stands still for a while, and then goes on with all that was sent meanwhile.</summary>
    Stall,
}

/// <summary>How one connection is treated.</summary>
/// <param name="Fault">What goes wrong.</param>
/// <param name="IsOnAnswer">In the bytes of the answer; else in those of the request.</param>
/// <param name="At">After how many bytes.</param>
/// <param name="Hold">How long a stall and a silence last.</param>
/// <param name="SingleUntil">Up to where bytes are passed on one by one.</param>
/// <param name="Piece">How many bytes are passed on at a time after that.</param>
/// <param name="DelayEvery">After how many bytes there is a delay; 0: never.</param>
internal sealed record FaultPlan(Fault Fault, bool IsOnAnswer, long At, TimeSpan Hold, int SingleUntil, int Piece, int DelayEvery)
{
    private static readonly Fault[] Faults = Enum.GetValues<Fault>()[1..];

    /// <param name="random">Where all comes from.</param>
    /// <param name="number">How many connections there were before. Of the later ones more are good, so that every upload can come to its end.</param>
    /// <param name="requestLength">About how long the request will be.</param>
    public static FaultPlan Next(Random random, int number, int requestLength)
    {
        bool isGood = random.Next(100) >= (number < 60 ? 60 : 20);
        Fault fault = Faults[random.Next(Faults.Length)];
        bool onAnswer = random.Next(2) == 0;
        int at = onAnswer
            ? random.Next(2) == 0 ? 0 : random.Next(300)
            : random.Next(6) switch { 0 => random.Next(Math.Min(300, requestLength)), 1 => requestLength, _ => random.Next(requestLength + 1) };
        var hold = TimeSpan.FromMilliseconds(random.Next(50, 1200));
        int single = random.Next(4) == 0 ? random.Next(1, 300) : 0;
        int piece = random.Next(3) == 0 ? random.Next(1, 1500) : 64 * 1024;
        int delay = random.Next(3) == 0 ? random.Next(500, 50_000) : 0;
        return new FaultPlan(isGood ? Fault.None : fault, onAnswer, at, hold, single, piece, delay);
    }

    /// <summary>How many bytes are passed on at a time, where that many have been.</summary>
    public int SizeAt(long passed) => passed < SingleUntil ? 1 : Piece;
}
