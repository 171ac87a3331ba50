using System.Text.RegularExpressions;

namespace ResumableUploads.UnitTests.Repository.Language;

/// <summary>A phrase that is not plain technical English.</summary>
/// <param name="Pattern">A regular expression, matched between word boundaries and without regard to case.</param>
/// <param name="Instead">What to write instead.</param>
/// <param name="Example">A text that contains the phrase.</param>
internal sealed record BannedPhrase(string Pattern, string Instead, string Example)
{
    /// <summary>Matches every phrase: most texts contain none, so that one match is enough for them.</summary>
    private static readonly Lazy<Regex> AnyPhrase = new(static () => ToRegex(string.Join('|', All!.Select(static phrase => $"(?:{phrase.Pattern})"))));

    private readonly Regex _regex = ToRegex(Pattern);

    public static IReadOnlyList<BannedPhrase> All { get; } =
    [
        // Persons instead of parts of the system.
        new("(no|some|any|every)body", "name the client, request, process or caller", "Changed by somebody else."),
        new("who(m)?ever", "name the client, request, process or caller", "Whoever appends is stopped."),
        new("newcomers?", "new request", "The newcomer waits."),
        new("(ask(s|ed)?|told|made) to leave", "requested to release the lock", "The append is asked to leave."),
        new("the wish( for)?", "the request to", "The wish for a new upload."),
        new("told", "receives, reports, is notified", "The client is told the offset."),
        new("patience", "timeout", "Ends when patience runs out."),
        new("believes?", "assumes, expects", "The offset that the client believes in."),

        // Vague references.
        new("what (is|was|are|were) there", "name the thing: the stored bytes, the existing upload", "Reads what is there."),
        new("what (came|comes|has come|had come)", "the received bytes, the request", "Keeps what came."),
        new("(is|are|was|were) not there", "does not exist, is missing", "The file is not there."),
        new("without a word", "without a message, by default", "Ends without a word."),
        new("not a (byte|word)", "no bytes, nothing", "Not a byte is lost."),
        new("(is|are) no concern", "does not apply to", "It is no concern of the store."),

        // Metaphors.
        new("rooms?", "space, quota, capacity", "Makes room for the upload."),
        new("(an?|the|its|their|whose|this|that|each|every|no|one|own|for|holds?|has|have|takes?|keeps?|gets?) turns?", "lock", "Waits for its turn."),
        new("turn (table|holder)s?", "lock table, lock holder", "TurnTable turn table."),
        new("hold(s|ing)? still", "is unchanged", "The upload does not hold still."),
        new("stay(s|ed|ing)? away", "does not arrive, does not reconnect", "The client stays away."),
        new("stands? (in|on|at|there|before|behind|after|between)", "is in, precedes, follows", "The header stands before the body."),
        new("(comes?|came|coming) back", "reconnects, retries, returns", "The client comes back."),
        new("(comes?|came|coming) to", "reaches, amounts to", "It comes to the end."),
        new("sees? to it", "checks, asserts", "The test sees to it."),
        new("look(s|ed|ing)? whether", "checks whether", "Looks whether the file exists."),
        new("(client|upload|request)s? gets? on", "continues", "The client gets on."),

        // Dated words.
        new("as ever", "as before, unchanged", "It continues as ever."),
        new("anew", "again", "Sent anew."),
        new("(go(es)?|going|went|gone) on", "continue", "The append goes on."),
        new("for good(?! reasons?)", "permanently", "It is deleted for good."),
        new("at hand", "available", "The record is at hand."),
        new("beside", "in addition to, next to, concurrently with", "A file beside the record."),
        new("in vain", "without effect, unsuccessfully", "It waits in vain."),
        new("(there|here|where)(by|in|of|upon|with)", "rephrase", "It is thereby closed."),
        new("whence|hence|thence|lest|albeit|ere|whilst|amid|upon|unto", "rephrase", "Lest it be lost."),
    ];

    /// <summary>Returns a phrase in a text and where it is, or <see langword="null"/>.</summary>
    public static (BannedPhrase Phrase, Match Match)? FindAny(string text) => !AnyPhrase.Value.IsMatch(text)
        ? null
        : All.Select(phrase => (phrase, phrase.Find(text))).First(static found => found.Item2.Success);

    public Match Find(string text) => _regex.Match(text);

    private static Regex ToRegex(string pattern) => new($@"\b(?:{pattern})\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.Compiled);
}
