/**
 * The short guided history: for each reason since when, and the few signs whose presence or absence changes what the specialist
 * does next. Chosen after the danger and severity signs that WHO's IMAI/IMCI and Basic Emergency Care (2018) list for each complaint.
 */

export const SINCE = ["hours", "days", "weeks", "months"];

/** Reason of the visit: signs asked, at most six. @type {Record<string, string[]>} */
export const QUESTIONS = {
  breathlessness: ["effort", "lying", "night", "swelling", "wheeze", "fever"],
  chest_pain: ["now", "effort", "arm_jaw", "sweating", "breathing_pain", "fainting"],
  palpitations: ["now", "fainting", "chest_pain", "breathless", "irregular"],
  cough: ["sputum", "blood", "fever", "night_sweats", "weight_loss", "breathless"],
  fever: ["chills", "stiff_neck", "rash", "vomiting", "cough", "urine_pain"],
  ear_pain: ["discharge", "hearing", "fever", "vertigo", "after_cold"],
  headache: ["sudden", "worst", "vomiting", "stiff_neck", "vision", "fever"],
  abdominal_pain: ["vomiting", "diarrhoea", "blood", "fever", "no_stool", "late_period"],
  high_blood_pressure: ["headache", "vision", "chest_pain", "breathless", "missed_tablets"],
  pregnancy: ["bleeding", "headache", "vision", "swelling", "less_movement", "waters"],
  heart_failure: ["effort", "lying", "night", "swelling", "fainting", "missed_tablets"],
  diabetes: ["thirst", "sweating", "vision", "foot_wound", "fainting", "missed_tablets"],
  skin: ["itch", "fever", "spreading", "blisters", "others_too", "new_medicine"],
};
