namespace ResumableUploads.FaultTests.Network.Lines;

/// <summary>A fault of a connection. It happens once.</summary>
internal enum Fault
{
    None,

    /// <summary>The server receives a FIN. Later bytes of the client are lost.</summary>
    FinToServer,

    /// <summary>The client receives a FIN. Its later bytes still arrive, and the rest of the response is lost.</summary>
    FinToClient,

    /// <summary>Both sides receive a reset.</summary>
    Reset,

    /// <summary>The client is disconnected, while the server sees a silent connection for a while.</summary>
    HalfOpen,

    /// <summary>One direction stalls for a while and then forwards everything sent meanwhile.</summary>
    Stall,
}

/// <summary>How one connection is treated.</summary>
/// <param name="Fault">The fault.</param>
/// <param name="IsInResponse">Whether the fault is in the bytes of the response. Otherwise it is in those of the request.</param>
/// <param name="At">The number of bytes before the fault.</param>
/// <param name="Hold">The duration of a stall or of the silence of a half-open connection.</param>
/// <param name="SingleUntil">The number of bytes that are forwarded one by one.</param>
/// <param name="Chunk">The number of bytes that are forwarded at a time afterwards.</param>
/// <param name="DelayEvery">The number of bytes between delays; 0 for no delay.</param>
internal sealed record FaultPlan(Fault Fault, bool IsInResponse, long At, TimeSpan Hold, int SingleUntil, int Chunk, int DelayEvery)
{
    private static readonly Fault[] Faults = Enum.GetValues<Fault>()[1..];

    /// <param name="random">The source of randomness.</param>
    /// <param name="number">The number of earlier connections. Later ones break less often, so that every upload can complete.</param>
    /// <param name="requestLength">The approximate length of the request.</param>
    public static FaultPlan Next(Random random, int number, int requestLength)
    {
        bool isGood = random.Next(100) >= (number < 60 ? 60 : 20);
        Fault fault = Faults[random.Next(Faults.Length)];
        bool inResponse = random.Next(2) == 0;
        int at = inResponse
            ? random.Next(2) == 0 ? 0 : random.Next(300)
            : random.Next(6) switch { 0 => random.Next(Math.Min(300, requestLength)), 1 => requestLength, _ => random.Next(requestLength + 1) };
        var hold = TimeSpan.FromMilliseconds(random.Next(50, 1200));
        int single = random.Next(4) == 0 ? random.Next(1, 300) : 0;
        int chunk = random.Next(3) == 0 ? random.Next(1, 1500) : 64 * 1024;
        int delay = random.Next(3) == 0 ? random.Next(500, 50_000) : 0;
        return new FaultPlan(isGood ? Fault.None : fault, inResponse, at, hold, single, chunk, delay);
    }

    /// <summary>Returns the number of bytes to forward at a time after the given number of bytes.</summary>
    public int SizeAt(long passed) => passed < SingleUntil ? 1 : Chunk;
}
