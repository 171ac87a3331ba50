using System.Globalization;
using ResumableUploads.FaultTests.Network.Lines;

namespace ResumableUploads.FaultTests.Soak;

/// <summary>The totals of a run without losses.</summary>
internal sealed record SoakTotals(string Disk, int Uploads, int Refused, long Bytes, FaultCounts Counts)
{
    private static readonly Fault[] Cuts = [Fault.FinToServer, Fault.FinToClient, Fault.Reset, Fault.HalfOpen];

    public static string Table(IEnumerable<SoakTotals> all) => string.Join('\n',
    [
        "| disk | uploads | of these too large, refused | bytes | requests | cuts | stalls | kills | restarts | losses of power | full disks | 507 | losses |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
        .. all.Select(static total => total.ToString()),
    ]);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"| {Disk} | {Uploads:N0} | {Refused:N0} | {Bytes:N0} | {Counts.Of("requests"):N0} | {Cuts.Sum(Of):N0} | {Of(Fault.Stall):N0} | {Of(ServerFault.Kill)} | {Of(ServerFault.Restart)} | {Of(ServerFault.LossOfPower)} | {Of(ServerFault.FullDisk)} | {Counts.Of("responses 507"):N0} | 0 |");

    public int Of(ServerFault fault) => Counts.Of(fault.ToString());

    private int Of(Fault fault) => Counts.Of(fault, isInResponse: false) + Counts.Of(fault, isInResponse: true);
}
