using System.Collections.Concurrent;

namespace ResumableUploads.FaultTests.Network.Lines;

/// <summary>Counts the events of several runs.</summary>
internal sealed class FaultCounts
{
    private readonly ConcurrentDictionary<string, int> _counts = new();

    public void Add(string name) => _counts.AddOrUpdate(name, 1, static (_, count) => count + 1);

    public void Add(Fault fault, bool isInResponse) => Add(Name(fault, isInResponse));

    public int Of(string name) => _counts.GetValueOrDefault(name);

    public int Of(Fault fault, bool isInResponse) => Of(Name(fault, isInResponse));

    /// <summary>Gets the total number of faults.</summary>
    public int OfFaults => Enum.GetValues<Fault>().Sum(fault => Of(fault, isInResponse: false) + Of(fault, isInResponse: true));

    public override string ToString() => string.Join(", ", _counts.OrderBy(static count => count.Key, StringComparer.Ordinal).Select(static count => $"{count.Key} {count.Value}"));

    private static string Name(Fault fault, bool isInResponse) => $"{fault} in {(isInResponse ? "response" : "request")}";
}
